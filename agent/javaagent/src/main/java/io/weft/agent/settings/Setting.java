package io.weft.agent.settings;

/**
 * Every setting there is: the one list, which {@code --help} prints. Named {@code weft.some-thing} as a system property,
 * {@code WEFT_SOME_THING} in the environment, {@code some-thing} in the agent argument, either in the file.
 */
public enum Setting {
    CONTROL_PLANE("control-plane", Type.CONTROL_PLANE, "none",
            "Where policies come from: grpc://HOST:PORT, or grpcs://HOST:PORT with TLS. Without it the agent does nothing, unless "
                    + "control-plane.kind says istio: then it is the first server of the file that GRPC_XDS_BOOTSTRAP names, or "
                    + "grpcs://istiod.istio-system.svc:15012."),
    CONTROL_PLANE_KIND("control-plane.kind", Type.CONTROL_PLANE_KIND, "weft",
            "Whose it is, as they differ in how a process says who it is: weft, kuma (kuma-cp, Kong Mesh) or istio (istiod)."),
    SERVICE("service", Type.SERVICE, "none",
            "The service that this process is an instance of. Also OTEL_SERVICE_NAME. Without it the process calls through the "
                    + "mesh and is not registered."),
    MESH("mesh", Type.SERVICE, "default", "The mesh that it belongs to."),
    ZONE("zone", Type.NAME, "none", "The zone that it runs in."),
    LOCAL_CLUSTER("local-cluster", Type.NAME, "none",
            "The cluster whose endpoints send requests as this process does, as local_cluster_name in Envoy's bootstrap. Zone "
                    + "aware routing needs it."),
    TAGS("tags", Type.TAGS, "none", "Tags of this instance, for policies to choose by: version=v1,team=a"),
    ADDRESS("address", Type.ADDRESS, "the local address of the control plane's connection",
            "The IP address under which other instances reach this one."),
    PORTS("ports", Type.PORTS, "every port on which the app serves HTTP",
            "Which of the app's ports belong to the service, when it has others too, as for its management: 8080,8081"),
    HEALTH_PATHS("health-paths", Type.PATHS, "none; in Kubernetes also those that the pod's probes ask for, but for /",
            "What anybody may ask the service's ports for in plaintext by GET or HEAD, however strict they are, as who checks health has no "
                    + "certificate: /healthz,/ready. A path is compared whole, without its query. Weft's own control plane makes policy of it."),
    CONTROL_PLANE_CA_FILE("control-plane.ca-file", Type.FILE, "the JDK's certificates",
            "PEM certificates that the control plane's certificate must chain to. With istio those that its pods have, if they are there."),
    CONTROL_PLANE_TOKEN_FILE("control-plane.token-file", Type.FILE, "none",
            "A token that shows who this process is, read anew for each connection. With istio the one that its pods have, if it is there."),
    CONTROL_PLANE_CLIENT_CERTIFICATE("control-plane.client-certificate", Type.FILE, "none",
            "PEM certificate chain that this process shows to the control plane; needs control-plane.client-key."),
    CONTROL_PLANE_CLIENT_KEY("control-plane.client-key", Type.FILE, "none",
            "PEM private key (PKCS#8) of control-plane.client-certificate."),
    IDENTITY_DIR("identity.dir", Type.PATH, "none: a certificate is asked for at the control plane",
            "A directory with the certificate of this process, its key and the roots, kept fresh by something else, for policies that "
                    + "leave that to the process: tls.crt, tls.key, ca.crt (cert-manager), or cert-chain.pem, key.pem, root-cert.pem (Istio), "
                    + "or svid.pem, svid_key.pem, svid_bundle.pem (SPIFFE). Without it, identity.workload-api; without that, the certificate "
                    + "providers file_watcher of GRPC_XDS_BOOTSTRAP: one for whatever a policy names, several by their names."),
    IDENTITY_WORKLOAD_API("identity.workload-api", Type.WORKLOAD_API, "none",
            "The SPIFFE Workload API that gives this process its certificate and the roots, unless identity.dir does. Also "
                    + "SPIFFE_ENDPOINT_SOCKET."),
    IDENTITY_KEY_TYPE("identity.key-type", Type.KEY_TYPE, "ec",
            "What key this process makes for the certificate that it asks for: ec (P-256), rsa (2048 bits) or ed25519."),
    CACHE_DIR("cache.dir", Type.PATH, "none",
            "A directory in which the last good policy is kept, for a start while the control plane is down."),
    STARTUP_WAIT("startup-wait", Type.DURATION, "5s",
            "How long the first request that the app sends waits for the first policy, once, but not one over TLS of its own unless required; "
                    + "and how long what comes in to a port of the service, from its opening on, waits for a policy that names that port. With none by then it is let in as without "
                    + "a mesh; but see required. A server that Weft knows and cannot secure waits as long before it serves."),
    DRAIN_DELAY("drain.delay", Type.DURATION, "1s, with kuma-cp 3s",
            "On shutdown: from deregistration, how long requests are still taken before the app stops."),
    DRAIN_TIMEOUT("drain.timeout", Type.DURATION, "10s",
            "On shutdown: how long to wait at most for requests in flight before the app stops. Also how long a connection may go "
                    + "on that a new policy would not let in."),
    ADMIN_ENABLED("admin.enabled", Type.FLAG, "true",
            "false: this process has no socket by which weft status could ask it."),
    ADMIN_DIR("admin.dir", Type.PATH, "/tmp/weft-USER",
            "Directory of that socket, PID.sock. Made if it is not there; nobody but its owner may enter it."),
    ADMIN_LOOPBACK("admin.loopback", Type.PORT, "none",
            "A port of 127.0.0.1 where every process that reaches this loopback, in Kubernetes each container of the pod and whoever may forward its "
                    + "ports, may read what Envoy's admin says: /config_dump, /clusters, /certs, /stats, /ready; no keys. 15000 is where istioctl "
                    + "proxy-config asks."),
    METRICS_ADDRESS("metrics.address", Type.LISTEN, "none",
            "Where Prometheus may ask for /stats/prometheus, and anybody for /ready, by TCP: without an address on loopback only. Port 0: "
                    + "one that is free, which the log says. The same pages are on the admin socket."),
    METRICS_OPENTELEMETRY("metrics.opentelemetry", Type.FLAG, "true",
            "Where the app has OpenTelemetry's SDK for metrics, in it or by OpenTelemetry's agent, that tells those of the mesh, too, wherever its "
                    + "own go. Not where otlp.endpoint says where they go, nor with false."),
    OTLP_ENDPOINT("otlp.endpoint", Type.COLLECTOR, "none",
            "An OpenTelemetry collector that metrics and spans are sent to, by OTLP over HTTP with JSON; with https one whose certificate this "
                    + "JVM trusts."),
    OTLP_INTERVAL("otlp.interval", Type.DURATION, "60s", "How often metrics are sent."),
    TRACES_SAMPLING("traces.sampling", Type.PERCENT, "none: requests are traced where the control plane says so",
            "Has requests traced where the control plane says nothing of tracing: how many of those that are in no trace yet begin one. "
                    + "Needs otlp.endpoint."),
    DEBUG_HEADER("debug-header", Type.FLAG, "false",
            "true: a request with the header x-weft-debug gets that header in its response, which says how it was decided: route, endpoints, "
                    + "attempts, and who refused it. It names services, addresses and rules to whoever may send such a request."),
    DEBUG_SAMPLING("debug-sampling", Type.PERCENT, "0%",
            "Of that many requests the agent's log says how they were decided, as x-weft-debug does, a line of JSON each."),
    LOG_FILE("log.file", Type.PATH, "stderr", "Where the agent's own log goes."),
    LOG_LEVEL("log.level", Type.LEVEL, "info", "off, error, warn, info or debug."),
    ENABLED("enabled", Type.FLAG, "true",
            "false: the agent leaves this JVM alone, whatever the other settings are, and required, too."),
    REQUIRED("required", Type.FLAG, "false",
            "true: when the agent cannot start, for instance on an invalid setting, the process exits with status 1 before "
                    + "main instead of running without the mesh; and a port of the service lets nobody in while no policy names it, "
                    + "health checks included (leave a port for them alone out of ports); and what the app sends over TLS of its own waits for "
                    + "the first policy, too. A value that is neither counts as true."),
    CONFIG_FILE("config-file", Type.FILE, "none", "A Java properties file with any of these settings."),
    INSTRUMENTATION_ENABLED("instrumentation.MODULE.enabled", Type.FLAG, "true",
            "false: leaves one library alone. A server then serves without the mesh, whatever policy says of its ports: also one that would "
                    + "not start, since policy demands what Weft cannot do for it.");

    /** What a value must look like. */
    enum Type {
        FLAG("true or false"),
        SERVICE("a name of letters, digits, '.', '-' and '_', at most 252 of them, that begins and ends with a letter or digit"),
        NAME("a name of letters, digits, '.', '-' and '_', at most 253 of them"),
        TAGS("name=value pairs with commas between them"),
        PORTS("port numbers with commas between them"),
        PATHS("paths that begin with '/', without a query, with commas between them"),
        CONTROL_PLANE("grpc://HOST:PORT or grpcs://HOST:PORT"),
        CONTROL_PLANE_KIND("weft, kuma or istio"),
        ADDRESS("an IP address"),
        COLLECTOR("http://HOST:PORT or https://HOST:PORT, with a path where it has one and without a user"),
        PORT("a port number"),
        LISTEN("PORT or ADDRESS:PORT"),
        FILE("a file that can be read"),
        PATH("a path"),
        DURATION("a number with a unit, such as 500ms, 2s or 1m, at most 24h"),
        WORKLOAD_API("unix:///PATH or tcp://ADDRESS:PORT"),
        KEY_TYPE("ec, rsa or ed25519"),
        PERCENT("a share, such as 0%, 0.1% or 100%"),
        LEVEL("off, error, warn, info or debug");

        private final String form;

        Type(String form) {
            this.form = form;
        }

        String form() {
            return form;
        }
    }

    private final String key;
    private final Type type;
    private final String byDefault;
    private final String meaning;

    Setting(String key, Type type, String byDefault, String meaning) {
        this.key = key;
        this.type = type;
        this.byDefault = byDefault;
        this.meaning = meaning;
    }

    /** As in the agent argument: {@code drain.delay}. */
    public String key() {
        return key;
    }

    public String property() {
        return "weft." + key;
    }

    public String variable() {
        return variable(property());
    }

    /** What a value must look like, for people. */
    public String form() {
        return type.form();
    }

    /** For people. */
    public String byDefault() {
        return byDefault;
    }

    public String meaning() {
        return meaning;
    }

    Type type() {
        return type;
    }

    static String variable(String property) {
        StringBuilder name = new StringBuilder(property.length());
        for (int i = 0; i < property.length(); i++) {
            char c = property.charAt(i);
            name.append(c == '.' || c == '-' ? '_' : Character.toUpperCase(c));
        }
        return name.toString();
    }
}
