# Tuning: settings of methods chosen by cross-validation.


rule tune_fold:
    input:
        expression="<results>/expression/{dataset}/expression.npz",
        priors=seed_priors,
    output:
        "<results>/tuning/{dataset}/noise{noise}_corruption{corruption}/{method}/fold{fold}.tsv",
    log:
        "<logs>/tuning/{dataset}/noise{noise}_corruption{corruption}/{method}.fold{fold}.log",
    conda:
        conda("neural")
    resources:
        **needs("tune_fold"),
    params:
        command=command("neural", "tune"),
        seed=lambda w: PLAN.datasets[w.dataset]["seeds"][0],
        settings=lambda w: settings(PLAN.training_settings(w.dataset, w.method)),
        tuning=lambda w: settings(PLAN.tuning(w.dataset, w.method)),
    shell:
        "({params.command} --expression {input.expression:q} --prior {input.priors[0]:q} --dataset {wildcards.dataset}"
        " --method {wildcards.method} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seed {params.seed} --fold {wildcards.fold} --settings {params.settings:q} --tuning {params.tuning:q}"
        " --checkpoint {output:q}.checkpoint --output {output:q}) 2>&1 | tee {log:q}"


rule choose_settings:
    input:
        tuning_folds,
    output:
        chosen="<results>/tuning/{dataset}/noise{noise}_corruption{corruption}/{method}/chosen.json",
        table="<results>/tuning/{dataset}/noise{noise}_corruption{corruption}/{method}/folds.tsv",
    log:
        "<logs>/tuning/{dataset}/noise{noise}_corruption{corruption}/{method}.log",
    conda:
        conda("neural")
    resources:
        **needs("choose_settings"),
    params:
        command=command("neural", "choose_settings"),
        tuning=lambda w: settings(PLAN.tuning(w.dataset, w.method)),
    shell:
        "({params.command} {input:q} --tuning {params.tuning:q} --chosen {output.chosen:q} --table {output.table:q})"
        " 2>&1 | tee {log:q}"
