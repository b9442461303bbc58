package io.weft.dataplane.metrics;

import java.util.Map;

/**
 * Who is at the other end, as far as it is known: whom a request was meant for, or who sent it. Empty is what is not known.
 *
 * @param service as callers name it
 * @param workload what runs it, as a Kubernetes deployment
 * @param principal SPIFFE ID
 */
public record Peer(String service, String workload, String namespace, String version, String principal) {
    public static final Peer UNKNOWN = new Peer("", "", "", "", "");

    private static final String[] WORKLOADS = {"kuma.io/workload", "service.istio.io/canonical-name", "app.kubernetes.io/name", "app"};
    private static final String[] VERSIONS = {"version", "service.istio.io/canonical-revision", "app.kubernetes.io/version"};
    private static final String[] NAMESPACES = {"k8s.kuma.io/namespace"};

    /**
     * Whom a cluster leads to. Istio and Kuma write in its name what service that is; any other name is a service's.
     *
     * @param labels of the endpoint
     */
    static Peer endpoint(String cluster, Map<String, Object> labels) {
        String service = cluster;
        String namespace = label(labels, NAMESPACES);
        String version = label(labels, VERSIONS);
        String[] istio = cluster.split("\\|", -1);
        if (istio.length == 4) {
            service = istio[3];
            version = version.isEmpty() ? istio[2] : version;
            String[] host = service.split("\\.", 4);
            namespace = host.length > 2 && host[2].equals("svc") && namespace.isEmpty() ? host[1] : namespace;
        } else if (cluster.startsWith("kri_msvc_")) {
            String[] kuma = cluster.split("_", -1);
            if (kuma.length == 7) {
                service = kuma[5];
                namespace = namespace.isEmpty() ? kuma[4] : namespace;
            }
        }
        String workload = label(labels, WORKLOADS);
        int dot = service.indexOf('.');
        return new Peer(service, workload.isEmpty() ? dot < 0 ? service : service.substring(0, dot) : workload, namespace, version, "");
    }

    private static String label(Map<String, Object> labels, String[] names) {
        for (String name : names) {
            if (labels.get(name) instanceof String value && !value.isEmpty()) {
                return value;
            }
        }
        return "";
    }

    /** Whom a SPIFFE ID names, by the paths of Istio ({@code /ns/…/sa/…}) and Kuma ({@code /workload/…}, {@code /…}). */
    static Peer identity(String spiffeId) {
        int path = spiffeId.startsWith("spiffe://") ? spiffeId.indexOf('/', "spiffe://".length()) : -1;
        if (path < 0) {
            return new Peer("", "", "", "", spiffeId);
        }
        String[] parts = spiffeId.substring(path + 1).split("/", -1);
        String namespace = parts.length == 4 && parts[0].equals("ns") ? parts[1] : "";
        String name = parts[parts.length - 1];
        return new Peer(name, name, namespace, "", spiffeId);
    }
}
