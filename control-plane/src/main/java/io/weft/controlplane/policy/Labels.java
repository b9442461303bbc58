package io.weft.controlplane.policy;

/** Kuma's labels and tags that mean something here. */
public final class Labels {

    public static final String SERVICE = "kuma.io/service";
    public static final String PROTOCOL = "kuma.io/protocol";
    public static final String ZONE = "kuma.io/zone";
    /** A convention of the field, by which canaries are told from the rest. */
    public static final String VERSION = "version";
    public static final String MESH = "kuma.io/mesh";
    public static final String EFFECT = "kuma.io/effect";
    public static final String DISPLAY_NAME = "kuma.io/display-name";
    public static final String NAMESPACE = "k8s.kuma.io/namespace";
    public static final String WORKLOAD = "kuma.io/workload";
    public static final String ORIGIN = "kuma.io/origin";
    public static final String POLICY_ROLE = "kuma.io/policy-role";

    private Labels() {}
}
