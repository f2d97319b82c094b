rule compile_model:
    input:
        lambda w: PLAN.problems[w.problem]["files"],
    output:
        directory("<results>/models/{problem}"),
    log:
        "<logs>/models/{problem}.log",
    conda:
        conda("mechanistic")
    params:
        command=command("mechanistic", "compile_model"),
        problem=lambda w, input: input[0],
    shell:
        "({params.command} --problem {params.problem} --model {output}) 2>&1 | tee {log}"


rule draw_artificial_data:
    input:
        files=lambda w: PLAN.problems[w.problem]["files"],
        model="<results>/models/{problem}",
    output:
        directory("<results>/problems/{problem}/{replicate}"),
    log:
        "<logs>/problems/{problem}/{replicate}.log",
    conda:
        conda("mechanistic")
    params:
        command=command("mechanistic", "artificial_data"),
        problem=lambda w, input: petab_yaml(input.files),
        settings=lambda w: settings(PLAN.problems[w.problem]["artificial"] | PLAN.problems[w.problem]["solver"]),
    shell:
        "({params.command} --problem {params.problem} --model {input.model} --replicate {wildcards.replicate}"
        " --settings {params.settings:q} --output {output}) 2>&1 | tee {log}"


rule evaluate_nominal:
    input:
        files=fitted_problem,
        model="<results>/models/{problem}",
    output:
        "<results>/nominal/{problem}/{replicate}.tsv",
    log:
        "<logs>/nominal/{problem}/{replicate}.log",
    conda:
        conda("mechanistic")
    params:
        command=command("mechanistic", "nominal"),
        problem=lambda w, input: petab_yaml(input.files),
        reference=lambda w, input: nominal_reference(w.problem, input.files),
        settings=lambda w: settings(PLAN.problems[w.problem]["solver"]),
    shell:
        "({params.command} --problem {params.problem} --model {input.model} --name {wildcards.problem}"
        " --replicate {wildcards.replicate} {params.reference} --settings {params.settings:q} --output {output}) 2>&1 | tee {log}"
