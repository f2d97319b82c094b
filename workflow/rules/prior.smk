# Prior networks and co-regulation.


rule build_prior:
    input:
        unpack(prior_files),
        expression="<results>/expression/{dataset}/expression.npz",
    output:
        "<results>/priors/{dataset}/corruption{corruption}/seed{seed}.npz",
    log:
        "<logs>/priors/{dataset}/corruption{corruption}/seed{seed}.log",
    conda:
        conda("analysis")
    resources:
        **needs("build_prior"),
    params:
        command=command("analysis", "build_prior"),
        options=lambda w, input: flags(prior_files(w), input) + network_flags(w.dataset, "prior", "coregulation"),
    shell:
        "({params.command} --genes {input.expression:q} {params.options}"
        " --corruption {wildcards.corruption} --seed {wildcards.seed} --output {output:q}) 2>&1 | tee {log:q}"
