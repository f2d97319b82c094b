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
    params:
        command=command("neural", "tune"),
        seed=lambda w: PLAN.datasets[w.dataset]["seeds"][0],
        settings=lambda w: settings(PLAN.training_settings(w.dataset, w.method)),
        tuning=lambda w: settings(PLAN.tuning(w.dataset, w.method)),
    shell:
        "({params.command} --expression {input.expression} --prior {input.priors[0]} --dataset {wildcards.dataset}"
        " --method {wildcards.method} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seed {params.seed} --fold {wildcards.fold} --settings {params.settings:q} --tuning {params.tuning:q}"
        " --checkpoint {output}.checkpoint --output {output}) 2>&1 | tee {log}"


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
    params:
        command=command("neural", "choose_settings"),
        tuning=lambda w: settings(PLAN.tuning(w.dataset, w.method)),
    shell:
        "({params.command} {input} --tuning {params.tuning:q} --chosen {output.chosen} --table {output.table})"
        " 2>&1 | tee {log}"
