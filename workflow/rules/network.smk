rule build_gold_standard:
    input:
        unpack(truth_files),
        expression="<results>/expression/{dataset}/expression.npz",
    output:
        "<results>/expression/{dataset}/truth.tsv",
    log:
        "<logs>/expression/{dataset}.truth.log",
    wildcard_constraints:
        dataset=names(MEASURED),
    conda:
        conda("analysis")
    params:
        command=command("analysis", "build_gold"),
        options=lambda w, input: flags(truth_files(w), input) + network_flags(w.dataset, "truth"),
    shell:
        "({params.command} --genes {input.expression} {params.options} --output {output}) 2>&1 | tee {log}"


rule score_network:
    input:
        unpack(gold_standard),
        model=rules.train_neural_ode.output.model,
        runs=rules.train_neural_ode.output.runs,
        path=rules.train_neural_ode.output.path,
        priors=seed_priors,
    output:
        scores="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.tsv",
        path="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.path.tsv",
        effects="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.effects.tsv",
        coregulation="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.coregulation.tsv",
    log:
        "<logs>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.log",
    conda:
        conda("analysis")
    params:
        command=command("analysis", "score_network"),
        truth=lambda w, input: flags(gold_standard(w), input),
    shell:
        "({params.command} --model {input.model} --runs {input.runs} --path {input.path} --prior {input.priors}"
        " {params.truth} --output {output.scores} --path-scores {output.path} --effects {output.effects}"
        " --coregulation {output.coregulation}) 2>&1 | tee {log}"


rule score_controls:
    input:
        unpack(gold_standard),
        expression="<results>/expression/{dataset}/expression.npz",
        priors=seed_priors,
    output:
        "<results>/networks/{dataset}/noise{noise}_corruption{corruption}.controls.tsv",
    log:
        "<logs>/networks/{dataset}/noise{noise}_corruption{corruption}.controls.log",
    conda:
        conda("analysis")
    params:
        command=command("analysis", "score_controls"),
        truth=lambda w, input: flags(gold_standard(w), input),
        seeds=seeds,
    shell:
        "({params.command} --expression {input.expression} --prior {input.priors} {params.truth}"
        " --dataset {wildcards.dataset} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seeds {params.seeds} --output {output}) 2>&1 | tee {log}"


rule score_yardsticks:
    input:
        unpack(gold_standard),
        expression="<results>/expression/{dataset}/expression.npz",
        priors=seed_priors,
    output:
        scores="<results>/networks/{dataset}/noise{noise}_corruption{corruption}.yardsticks.tsv",
        effects="<results>/networks/{dataset}/noise{noise}_corruption{corruption}.yardsticks.effects.tsv",
    log:
        "<logs>/networks/{dataset}/noise{noise}_corruption{corruption}.yardsticks.log",
    conda:
        conda("analysis")
    params:
        command=command("analysis", "score_yardsticks"),
        truth=lambda w, input: flags(gold_standard(w), input),
        seeds=seeds,
    shell:
        "({params.command} --expression {input.expression} --prior {input.priors} {params.truth}"
        " --dataset {wildcards.dataset} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seeds {params.seeds} --output {output.scores} --effects {output.effects}) 2>&1 | tee {log}"
