# Predictions of ensembles of fits, and their scores.


rule predict_measurements:
    input:
        files=fitted_problem,
        model="<results>/models/{problem}",
        solver="<results>/solvers/{problem}.json",
        fits="<results>/fits/{problem}/{replicate}/{fit}.tsv",
        parameters="<results>/fits/{problem}/{replicate}/{fit}.parameters.npz",
    output:
        "<results>/predictions/{problem}/{replicate}/{fit}.tsv",
    log:
        "<logs>/predictions/{problem}/{replicate}/{fit}.log",
    conda:
        conda("mechanistic")
    resources:
        **needs("predict_measurements"),
    params:
        command=command("mechanistic", "predict"),
        problem=lambda w, input: petab_yaml(input.files),
        test=lambda w, input: held_out_option(w.problem, input.files),
        settings=lambda w: settings(PLAN.problems[w.problem]["solver"]),
        ensemble=lambda w: PLAN.problems[w.problem]["predict"]["ensemble"],
    shell:
        "({params.command} --problem {params.problem:q} {params.test} --model {input.model:q} --solver {input.solver:q}"
        " --fits {input.fits:q} --parameters {input.parameters:q} --settings {params.settings:q}"
        " --ensemble {params.ensemble} --output {output:q}) 2>&1 | tee {log:q}"


rule estimate_parameters:
    input:
        files=fitted_problem,
        model="<results>/models/{problem}",
        solver="<results>/solvers/{problem}.json",
        fits=lambda w: expand("<results>/fits/{problem}/{replicate}/{fit}.tsv", fit=PLAN.fit_labels(w.problem), **w),
        parameters=lambda w: expand(
            "<results>/fits/{problem}/{replicate}/{fit}.parameters.npz", fit=PLAN.fit_labels(w.problem), **w
        ),
    output:
        table="<results>/estimates/{problem}/{replicate}.tsv",
        courses="<results>/estimates/{problem}/{replicate}.courses.tsv",
        petab=directory("<results>/estimates/{problem}/{replicate}/petab"),
        pypesto="<results>/estimates/{problem}/{replicate}/pypesto.hdf5",
    log:
        "<logs>/estimates/{problem}/{replicate}.log",
    conda:
        conda("mechanistic")
    resources:
        **needs("estimate_parameters"),
    params:
        command=command("mechanistic", "estimates"),
        problem=lambda w, input: petab_yaml(input.files),
        settings=lambda w: settings(PLAN.problems[w.problem]["solver"]),
    shell:
        "({params.command} --problem {params.problem:q} --model {input.model:q} --solver {input.solver:q}"
        " --fits {input.fits:q} --parameters {input.parameters:q} --name {wildcards.problem}"
        " --replicate {wildcards.replicate} --settings {params.settings:q} --output {output.table:q}"
        " --courses {output.courses:q} --petab {output.petab:q} --pypesto {output.pypesto:q}) 2>&1 | tee {log:q}"


rule score_ensembles:
    input:
        "<results>/tables/predictions.tsv",
    output:
        "<results>/tables/large_scale.tsv",
    log:
        "<logs>/tables/large_scale.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "large_scale"),
    shell:
        "({params.command} --predictions {input:q} --output {output:q}) 2>&1 | tee {log:q}"
