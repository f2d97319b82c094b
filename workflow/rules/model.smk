# Mechanistic models: compilation, artificial data, the choice of the solver, nominal objectives.


# Only here are files read that lie outside the folder of a problem's YAML: all else reads the copies.
rule gather_problem:
    input:
        lambda w: PLAN.problems[w.problem]["files"],
    output:
        directory("<results>/gathered/{problem}"),
    log:
        "<logs>/gathered/{problem}.log",
    localrule: True
    conda:
        conda("mechanistic")
    params:
        command=command("mechanistic", "gather_problem"),
        problem=lambda w, input: str(input[0]),
    shell:
        "({params.command} --problem {params.problem:q} --output {output:q}) 2>&1 | tee {log:q}"


# What artificial data vary must be in the compiled model: a template has those columns, without any data.
rule write_template:
    input:
        lambda w: own_files(w.problem),
    output:
        directory("<results>/templates/{problem}"),
    log:
        "<logs>/templates/{problem}.log",
    wildcard_constraints:
        problem=names(ARTIFICIAL),
    # Later than other jobs that are ready: those of several problems would all wait for the first environment, for as
    # long as AMICI is built, on cores that the neural arm can use.
    priority: -1
    conda:
        conda("mechanistic")
    resources:
        **needs("write_template"),
    params:
        command=command("mechanistic", "write_template"),
        problem=lambda w, input: petab_yaml(input),
        settings=lambda w: settings(PLAN.problems[w.problem]["artificial"]),
    shell:
        "({params.command} --problem {params.problem:q} --settings {params.settings:q} --output {output:q})"
        " 2>&1 | tee {log:q}"


rule compile_model:
    input:
        template_or_files,
    output:
        directory("<results>/models/{problem}"),
    log:
        "<logs>/models/{problem}.log",
    conda:
        conda("mechanistic")
    resources:
        **needs("compile_model"),
    params:
        command=command("mechanistic", "compile_model"),
        problem=lambda w, input: petab_yaml(input),
        engine=lambda w: PLAN.problems[w.problem]["solver"]["engine"],
    shell:
        "({params.command} --problem {params.problem:q} --model {output:q} --engine {params.engine:q}) 2>&1 | tee {log:q}"


rule draw_artificial_data:
    input:
        files=template_or_files,
        model="<results>/models/{problem}",
    output:
        directory("<results>/problems/{problem}/{replicate}"),
    log:
        "<logs>/problems/{problem}/{replicate}.log",
    conda:
        conda("mechanistic")
    resources:
        **needs("draw_artificial_data"),
    params:
        command=command("mechanistic", "artificial_data"),
        problem=lambda w, input: petab_yaml(input.files),
        settings=lambda w: settings(PLAN.problems[w.problem]["artificial"] | PLAN.problems[w.problem]["solver"]),
    shell:
        "({params.command} --problem {params.problem:q} --model {input.model:q} --replicate {wildcards.replicate}"
        " --settings {params.settings:q} --output {output:q}) 2>&1 | tee {log:q}"


rule measure_solver:
    input:
        files=first_replicate,
        model="<results>/models/{problem}",
    output:
        "<results>/solvers/{problem}.json",
    log:
        "<logs>/solvers/{problem}.log",
    conda:
        conda("mechanistic")
    resources:
        **needs("measure_solver"),
    params:
        command=command("mechanistic", "measure_solver"),
        problem=lambda w, input: petab_yaml(input.files),
        settings=lambda w: settings(PLAN.problems[w.problem]["solver"]),
    shell:
        "({params.command} --problem {params.problem:q} --model {input.model:q} --settings {params.settings:q}"
        " --output {output:q}) 2>&1 | tee {log:q}"


rule evaluate_nominal:
    input:
        files=fitted_problem,
        model="<results>/models/{problem}",
        solver="<results>/solvers/{problem}.json",
    output:
        "<results>/nominal/{problem}/{replicate}.tsv",
    log:
        "<logs>/nominal/{problem}/{replicate}.log",
    conda:
        conda("mechanistic")
    resources:
        **needs("evaluate_nominal"),
    params:
        command=command("mechanistic", "nominal"),
        problem=lambda w, input: petab_yaml(input.files),
        reference=lambda w, input: nominal_reference(w.problem, input.files),
        settings=lambda w: settings(PLAN.problems[w.problem]["solver"]),
    shell:
        "({params.command} --problem {params.problem:q} --model {input.model:q} --solver {input.solver:q}"
        " --name {wildcards.problem}"
        " --replicate {wildcards.replicate} {params.reference} --settings {params.settings:q} --output {output:q})"
        " 2>&1 | tee {log:q}"
