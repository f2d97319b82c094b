# Enrichment: influence of genes, regulators ranked by it, and pathway tests.


rule measure_influence:
    input:
        model=rules.train_neural_ode.output.model,
        expression="<results>/expression/{dataset}/expression.npz",
    output:
        "<results>/enrichment/{dataset}/noise{noise}_corruption{corruption}/{method}.influence.tsv",
    log:
        "<logs>/enrichment/{dataset}/noise{noise}_corruption{corruption}/{method}.influence.log",
    conda:
        conda("neural")
    resources:
        **needs("measure_influence"),
    params:
        command=command("neural", "influence"),
        settings=lambda w: settings(PLAN.datasets[w.dataset]["enrichment"]["influence"]),
    shell:
        "({params.command} --model {input.model:q} --expression {input.expression:q} --settings {params.settings:q}"
        " --output {output:q}) 2>&1 | tee {log:q}"


rule rank_regulators:
    input:
        rules.measure_influence.output,
    output:
        "<results>/enrichment/{dataset}/noise{noise}_corruption{corruption}/{method}.regulators.tsv",
    log:
        "<logs>/enrichment/{dataset}/noise{noise}_corruption{corruption}/{method}.regulators.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "rank_regulators"),
    shell:
        "({params.command} --influence {input:q} --dataset {wildcards.dataset} --method {wildcards.method}"
        " --noise {wildcards.noise} --prior-corruption {wildcards.corruption} --output {output:q}) 2>&1 | tee {log:q}"


rule test_pathways:
    input:
        influence=rules.measure_influence.output,
        gene_sets=gene_sets,
    output:
        "<results>/enrichment/{dataset}/noise{noise}_corruption{corruption}/{method}.tsv",
    log:
        "<logs>/enrichment/{dataset}/noise{noise}_corruption{corruption}/{method}.log",
    conda:
        conda("analysis")
    resources:
        **needs("test_pathways"),
    params:
        command=command("analysis", "test_pathways"),
        settings=lambda w: settings(PLAN.datasets[w.dataset]["enrichment"]["test"]),
    shell:
        "({params.command} --influence {input.influence:q} --gene-sets {input.gene_sets:q}"
        " --dataset {wildcards.dataset}"
        " --method {wildcards.method} --noise {wildcards.noise} --prior-corruption {wildcards.corruption}"
        " --settings {params.settings:q} --output {output:q}) 2>&1 | tee {log:q}"
