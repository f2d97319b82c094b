# Trained models: gold standards, scores of networks, predicted trajectories, control predictors and yardsticks.


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
    resources:
        **needs("build_gold_standard"),
    params:
        command=command("analysis", "build_gold"),
        options=lambda w, input: flags(truth_files(w), input) + network_flags(w.dataset, "truth"),
    shell:
        "({params.command} --genes {input.expression:q} {params.options} --output {output:q}) 2>&1 | tee {log:q}"


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
    resources:
        **needs("score_network"),
    params:
        command=command("analysis", "score_network"),
        truth=lambda w, input: flags(gold_standard(w), input),
    shell:
        "({params.command} --model {input.model:q} --runs {input.runs:q} --path {input.path:q} --prior {input.priors:q}"
        " {params.truth} --output {output.scores:q} --path-scores {output.path:q} --effects {output.effects:q}"
        " --coregulation {output.coregulation:q}) 2>&1 | tee {log:q}"


rule predict_trajectories:
    input:
        expression="<results>/expression/{dataset}/expression.npz",
        model=rules.train_neural_ode.output.model,
        runs=rules.train_neural_ode.output.runs,
    output:
        "<results>/training/{dataset}/noise{noise}_corruption{corruption}/{method}/trajectories.tsv",
    log:
        "<logs>/training/{dataset}/noise{noise}_corruption{corruption}/{method}.trajectories.log",
    conda:
        conda("neural")
    resources:
        **needs("predict_trajectories"),
    params:
        command=command("neural", "predict_trajectories"),
    shell:
        "({params.command} --expression {input.expression:q} --model {input.model:q} --runs {input.runs:q}"
        " --output {output:q}) 2>&1 | tee {log:q}"


rule build_consensus_network:
    input:
        model=rules.train_neural_ode.output.model,
        runs=rules.train_neural_ode.output.runs,
    output:
        network="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.network.tsv",
        graphml="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.graphml",
    log:
        "<logs>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.network.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "consensus_network"),
    shell:
        "({params.command} --model {input.model:q} --runs {input.runs:q} --output {output.network:q}"
        " --graphml {output.graphml:q}) 2>&1 | tee {log:q}"


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
    resources:
        **needs("score_controls"),
    params:
        command=command("analysis", "score_controls"),
        truth=lambda w, input: flags(gold_standard(w), input),
        seeds=seeds,
    shell:
        "({params.command} --expression {input.expression:q} --prior {input.priors:q} {params.truth}"
        " --dataset {wildcards.dataset} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seeds {params.seeds} --output {output:q}) 2>&1 | tee {log:q}"


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
    resources:
        **needs("score_yardsticks"),
    params:
        command=command("analysis", "score_yardsticks"),
        truth=lambda w, input: flags(gold_standard(w), input),
        seeds=seeds,
        yardsticks=lambda w: " ".join(PLAN.yardsticks(w.dataset)),
    shell:
        "({params.command} --expression {input.expression:q} --prior {input.priors:q} {params.truth}"
        " --dataset {wildcards.dataset} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seeds {params.seeds} --yardsticks {params.yardsticks} --output {output.scores:q} --effects {output.effects:q}) 2>&1 | tee {log:q}"
