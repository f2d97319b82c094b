# Fits: mechanistic models and neural ODEs by full-batch and mini-batch optimizers; neural ODEs without pruning.


# Before models are compiled: a start that cannot be taken is not found after an hour.
rule check_starts:
    input:
        files=template_or_files,
        given=lambda w: files_of(PLAN.problems[w.problem]["fits"]["start_from"]),
    output:
        "<results>/starts/{problem}.tsv",
    log:
        "<logs>/starts/{problem}.log",
    priority: 1
    localrule: True
    conda:
        conda("mechanistic")
    params:
        command=command("mechanistic", "check_starts"),
        problem=lambda w, input: petab_yaml(input.files),
        starts=lambda w: PLAN.problems[w.problem]["fits"]["starts"],
        groups=lambda w: " ".join(PLAN.scaled_groups(w.problem)),
    shell:
        "({params.command} --problem {params.problem:q} --start-from {input.given[0]:q} --starts {params.starts}"
        " --groups {params.groups} --output {output:q}) 2>&1 | tee {log:q}"


rule fit_full_batch:
    input:
        files=fitted_problem,
        model="<results>/models/{problem}",
        solver="<results>/solvers/{problem}.json",
        given=given_starts,
    output:
        fits="<results>/fits/{problem}/{replicate}/{optimizer}.tsv",
        trace="<results>/fits/{problem}/{replicate}/{optimizer}.trace.tsv",
        parameters="<results>/fits/{problem}/{replicate}/{optimizer}.parameters.npz",
    log:
        "<logs>/fits/{problem}/{replicate}/{optimizer}.log",
    wildcard_constraints:
        problem=names(PETAB),
    conda:
        conda("mechanistic")
    resources:
        **needs("fit_full_batch"),
    params:
        command=command("mechanistic", "fit"),
        problem=lambda w, input: petab_yaml(input.files),
        starts=lambda w: PLAN.problems[w.problem]["fits"]["starts"],
        given=lambda w, input: option("--start-from", input.given[0] if input.given else None),
        settings=lambda w: settings(PLAN.full_batch_settings(w.problem)),
        checkpoint=lambda w, output: f"{output.fits}.checkpoint",
    shell:
        "({params.command} --problem {params.problem:q} --model {input.model:q} --solver {input.solver:q}"
        " --name {wildcards.problem}"
        " --replicate {wildcards.replicate} --optimizer {wildcards.optimizer} --starts {params.starts} {params.given}"
        " --settings {params.settings:q} --checkpoint {params.checkpoint:q}"
        " --output {output.fits:q} --trace {output.trace:q} --parameters {output.parameters:q}) 2>&1 | tee {log:q}"


# A mini-batch fit is given more settings, which stand in its name.
use rule fit_full_batch as fit_mini_batch with:
    output:
        fits=f"{MINI_BATCH_FIT}.tsv",
        trace=f"{MINI_BATCH_FIT}.trace.tsv",
        parameters=f"{MINI_BATCH_FIT}.parameters.npz",
    log:
        MINI_BATCH_FIT.replace("<results>", "<logs>") + ".log",
    resources:
        **needs("fit_mini_batch"),
    params:
        settings=lambda w: settings(
            PLAN.mini_batch_settings(w.problem, w.optimizer, w.schedule, w.batch_size, w.safeguard)
        ),


rule fit_neural_full_batch:
    input:
        lambda w: f"<results>/expression/{PLAN.problems[w.problem]['neural']['dataset']}/expression.npz",
    output:
        fits="<results>/fits/{problem}/{replicate}/{optimizer}.tsv",
        trace="<results>/fits/{problem}/{replicate}/{optimizer}.trace.tsv",
        parameters="<results>/fits/{problem}/{replicate}/{optimizer}.parameters.npz",
    log:
        "<logs>/fits/{problem}/{replicate}/{optimizer}.log",
    wildcard_constraints:
        problem=names(NEURAL),
    conda:
        conda("neural")
    resources:
        **needs("fit_neural_full_batch"),
    params:
        command=command("neural", "fit_neural_ode"),
        neural=lambda w: PLAN.problems[w.problem]["neural"],
        training=lambda w: settings(PLAN.neural_settings(w.problem)),
        starts=lambda w: PLAN.problems[w.problem]["fits"]["starts"],
        settings=lambda w: settings(PLAN.full_batch_settings(w.problem)),
        checkpoint=lambda w, output: f"{output.fits}.checkpoint",
    shell:
        "({params.command} --expression {input:q} --noise {params.neural[noise]}"
        " --noise-seed {params.neural[noise_seed]} --training {params.training:q} --name {wildcards.problem}"
        " --replicate {wildcards.replicate} --optimizer {wildcards.optimizer} --starts {params.starts}"
        " --settings {params.settings:q} --checkpoint {params.checkpoint:q}"
        " --output {output.fits:q} --trace {output.trace:q} --parameters {output.parameters:q}) 2>&1 | tee {log:q}"


use rule fit_neural_full_batch as fit_neural_mini_batch with:
    output:
        fits=f"{MINI_BATCH_FIT}.tsv",
        trace=f"{MINI_BATCH_FIT}.trace.tsv",
        parameters=f"{MINI_BATCH_FIT}.parameters.npz",
    log:
        MINI_BATCH_FIT.replace("<results>", "<logs>") + ".log",
    resources:
        **needs("fit_neural_mini_batch"),
    params:
        settings=rules.fit_mini_batch.params.settings,


rule train_neural_ode:
    input:
        expression="<results>/expression/{dataset}/expression.npz",
        priors=seed_priors,
        tuned=tuned_settings,
    output:
        model="<results>/training/{dataset}/noise{noise}_corruption{corruption}/{method}/model.npz",
        runs="<results>/training/{dataset}/noise{noise}_corruption{corruption}/{method}/runs.tsv",
        history="<results>/training/{dataset}/noise{noise}_corruption{corruption}/{method}/history.tsv",
        path="<results>/training/{dataset}/noise{noise}_corruption{corruption}/{method}/path.npz",
    log:
        "<logs>/training/{dataset}/noise{noise}_corruption{corruption}/{method}.log",
    wildcard_constraints:
        method="unpruned",
    conda:
        conda("neural")
    resources:
        **needs("train_neural_ode"),
    params:
        command=command("neural", "train_neural_ode"),
        seeds=seeds,
        settings=lambda w: settings(PLAN.training_settings(w.dataset, w.method)),
        tuned=lambda w, input: option("--tuned", input.tuned or None),
        checkpoint=subpath(output.model, parent=True),
    shell:
        "({params.command} --expression {input.expression:q} --prior {input.priors:q} --dataset {wildcards.dataset}"
        " --method {wildcards.method} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seeds {params.seeds} --settings {params.settings:q} {params.tuned}"
        " --checkpoint {params.checkpoint:q}/checkpoint"
        " --model {output.model:q} --runs {output.runs:q} --history {output.history:q} --path {output.path:q})"
        " 2>&1 | tee {log:q}"
