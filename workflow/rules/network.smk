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
        model=rules.train_phoenix.output.model,
        runs=rules.train_phoenix.output.runs,
        truth="<results>/expression/{dataset}/truth.tsv",
    output:
        scores="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.tsv",
        effects="<results>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.effects.tsv",
    log:
        "<logs>/networks/{dataset}/noise{noise}_corruption{corruption}/{method}.log",
    conda:
        conda("analysis")
    params:
        command=command("analysis", "score_network"),
    shell:
        "({params.command} --model {input.model} --runs {input.runs} --truth {input.truth}"
        " --output {output.scores} --effects {output.effects}) 2>&1 | tee {log}"


rule score_controls:
    input:
        expression="<results>/expression/{dataset}/expression.npz",
        priors=rules.train_phoenix.input.priors,
        truth="<results>/expression/{dataset}/truth.tsv",
    output:
        "<results>/networks/{dataset}/noise{noise}_corruption{corruption}.controls.tsv",
    log:
        "<logs>/networks/{dataset}/noise{noise}_corruption{corruption}.controls.log",
    conda:
        conda("analysis")
    params:
        command=command("analysis", "score_controls"),
        seeds=" ".join(map(str, PLAN.config["seeds"])),
    shell:
        "({params.command} --expression {input.expression} --prior {input.priors} --truth {input.truth}"
        " --dataset {wildcards.dataset} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --seeds {params.seeds} --output {output}) 2>&1 | tee {log}"
