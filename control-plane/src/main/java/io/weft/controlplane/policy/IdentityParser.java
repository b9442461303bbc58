package io.weft.controlplane.policy;

import io.weft.controlplane.ca.Pem;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads what says who data planes are and whom they believe: {@code MeshIdentity}, {@code MeshTrust} and a mesh's {@code mtls}. */
final class IdentityParser {

    private static final Duration DEFAULT_EXPIRY = Duration.ofHours(24);
    private static final Duration MIN_EXPIRY = Duration.ofSeconds(1);
    /** Of what a token proves. */
    private static final Set<String> PROVED_LABELS = Set.of(Labels.SERVICE, Labels.WORKLOAD);
    private static final SpiffeTemplate OF_ACCOUNT = SpiffeTemplate.of("/ns/{{ .Namespace }}/sa/{{ .ServiceAccount }}");
    private static final Pattern TRUST_DOMAIN = Pattern.compile("[a-z0-9][a-z0-9._-]{0,252}");

    static MeshIdentity identity(Metadata metadata, Fields spec, ResourceParser.Proof proof) {
        Optional<String> service = selector(spec.require("selector").fields(), proof);
        SpiffeTemplate trustDomain = SpiffeTemplate.of("{{ .Mesh }}.{{ .Zone }}.mesh.local");
        // As in Kuma, where they differ for the same reason.
        SpiffeTemplate path = proof == ResourceParser.Proof.SERVICE_ACCOUNT
                ? OF_ACCOUNT
                : SpiffeTemplate.of("/workload/{{ .Workload }}");
        Optional<Value> spiffeId = spec.get("spiffeID");
        if (spiffeId.isPresent()) {
            Fields fields = spiffeId.get().fields();
            trustDomain = fields.get("trustDomain").map(SpiffeTemplate::trustDomain).orElse(trustDomain);
            path = fields.get("path").map(value -> path(value, service, proof)).orElse(path);
            fields.end();
        }
        Fields provider = spec.require("provider").fields();
        provider.require("type").choice(ResourceParser.words("Bundled"));
        provider.unsupported("spire", "this control plane issues certificates itself: set type to Bundled");
        provider.unsupported("extension", "this control plane issues certificates itself: set type to Bundled");
        Fields bundled = provider.require("bundled").fields();
        boolean trusted = bundled.get("meshTrustCreation")
                .map(value -> value.choice(ResourceParser.words("Enabled", "Disabled")))
                .orElse("Enabled")
                .equals("Enabled");
        // It permits what is done here anyway: the root that is made signs itself.
        bundled.accept("insecureAllowSelfSigned");
        CaSource source = source(bundled);
        Duration expiry = bundled.get("certificateParameters")
                .map(value -> {
                    Fields parameters = value.fields();
                    Duration chosen = parameters.get("expiry").map(each -> expiry(each)).orElse(DEFAULT_EXPIRY);
                    parameters.end();
                    return chosen;
                })
                .orElse(DEFAULT_EXPIRY);
        bundled.end();
        provider.end();
        spec.end();
        return new MeshIdentity(metadata, service, trustDomain, path, source, expiry, trusted);
    }

    private static SpiffeTemplate path(Value value, Optional<String> service, ResourceParser.Proof proof) {
        SpiffeTemplate path = SpiffeTemplate.path(value, proof);
        boolean refused = path.parts().equals(List.of(""));
        if (!refused && service.isEmpty() && !path.tellsWorkloadsApart(proof)) {
            String needed = proof == ResourceParser.Proof.SERVICE_ACCOUNT
                    ? "{{ .Namespace }} and {{ .ServiceAccount }}, each between slashes"
                    : "{{ .Workload }}, or a selector for one service";
            value.refuse("needs " + needed + ": otherwise all services are one and the same, and what a permission grants to one it"
                    + " grants to all");
        }
        return path;
    }

    /** In a cluster a service is what a pod's label says, and whoever may create a pod would be anyone. */
    private static Optional<String> selector(Fields selector, ResourceParser.Proof proof) {
        Fields dataplane = selector.require("dataplane").fields();
        Map<String, String> labels = new LinkedHashMap<>(dataplane.texts("matchLabels"));
        Optional<String> service = Optional.ofNullable(labels.get(Labels.WORKLOAD)).or(() -> Optional.ofNullable(labels.get(Labels.SERVICE)));
        boolean ofAccount = proof == ResourceParser.Proof.SERVICE_ACCOUNT;
        for (String label : labels.keySet()) {
            if (ofAccount) {
                dataplane.refuse("matchLabels", "selects by " + label + ", which whoever creates a pod may choose; select all by an empty"
                        + " mapping, and tell workloads apart by their service accounts");
            } else if (!PROVED_LABELS.contains(label)) {
                dataplane.refuse("matchLabels", "selects by " + label + ", which a data plane says of itself and nothing proves; select by "
                        + Labels.WORKLOAD + ", or all by an empty mapping");
            }
        }
        dataplane.end();
        selector.end();
        return ofAccount ? Optional.empty() : service;
    }

    private static CaSource source(Fields bundled) {
        boolean generated = bundled.get("autogenerate")
                .map(value -> {
                    Fields fields = value.fields();
                    boolean enabled = fields.get("enabled").map(Value::bool).orElse(false);
                    fields.end();
                    return enabled;
                })
                .orElse(false);
        if (generated) {
            bundled.get("ca").ifPresent(ca -> ca.refuse("and autogenerate exclude each other; keep one"));
            return new CaSource.Generated();
        }
        Fields ca = bundled.require("ca").fields();
        Path certificate = file(ca.require("certificate"));
        Path key = file(ca.require("privateKey"));
        ca.end();
        return new CaSource.Files(certificate, key);
    }

    private static Path file(Value source) {
        Fields fields = source.fields();
        Value type = fields.require("type");
        String name = type.choice(ResourceParser.words("File", "Secret", "EnvVar", "InsecureInline"));
        if (!name.equals("File")) {
            type.refuse("'" + name + "' is not supported; keep it in a file of its own: {type: File, file: {path: /etc/weft/ca.key}}");
            fields.accept("secretRef", "envVar", "insecureInline");
            return Path.of("/");
        }
        Fields file = fields.require("file").fields();
        Path path = absolute(file.require("path"));
        file.end();
        fields.end();
        return path;
    }

    private static Path absolute(Value value) {
        String text = value.nonEmptyText();
        Path path;
        try {
            path = Path.of(text);
        } catch (InvalidPathException e) {
            value.refuse("is not the path of a file: " + e.getReason());
            return Path.of("/");
        }
        if (!text.isEmpty() && (!path.isAbsolute() || !path.normalize().equals(path))) {
            value.refuse("must be an absolute path without '..'");
        }
        return path;
    }

    private static Duration expiry(Value value) {
        Duration expiry = value.duration();
        if (expiry.compareTo(MIN_EXPIRY) < 0) {
            value.refuse("must be at least 1s; 24h is usual");
        }
        return expiry.compareTo(MIN_EXPIRY) < 0 ? DEFAULT_EXPIRY : expiry;
    }

    static MeshTrust trust(Metadata metadata, Fields spec) {
        Value domain = spec.require("trustDomain");
        String trustDomain = domain.nonEmptyText();
        if (!trustDomain.isEmpty() && !TRUST_DOMAIN.matcher(trustDomain).matches()) {
            domain.refuse("must be a trust domain without spiffe://: lower-case letters, digits, '.', '-' and '_'");
        }
        List<X509Certificate> authorities = new ArrayList<>();
        Value bundles = spec.require("caBundles");
        for (Value item : bundles.items()) {
            Fields bundle = item.fields();
            bundle.require("type").choice(ResourceParser.words("Pem"));
            Fields pem = bundle.require("pem").fields();
            Value value = pem.require("value");
            String text = value.nonEmptyText();
            try {
                authorities.addAll(Pem.certificates(text));
            } catch (IOException e) {
                value.refuse(e.getMessage());
            }
            pem.end();
            bundle.end();
        }
        if (bundles.node() instanceof Node.Sequence sequence && sequence.items().isEmpty()) {
            bundles.refuse("needs at least one bundle");
        }
        // What made it, where Kuma did.
        spec.accept("origin", "status");
        spec.end();
        return new MeshTrust(metadata, trustDomain, authorities);
    }

    /** Empty if no backend is enabled. */
    static Optional<Mesh.Mtls> mtls(Value value, ResourceParser.Proof proof) {
        Fields fields = value.fields();
        Optional<Value> enabled = fields.get("enabledBackend");
        // Kuma then does not try the CA before it takes the document; nothing is tried here either.
        fields.accept("skipValidation");
        Map<String, Mesh.Mtls> backends = new LinkedHashMap<>();
        for (Value item : fields.items("backends")) {
            Fields backend = item.fields();
            String name = backend.require("name").nonEmptyText();
            if (backends.put(name, backend(backend, proof)) != null) {
                backend.refuse("name", "occurs twice; keep one");
            }
            backend.end();
        }
        fields.end();
        if (enabled.isEmpty() || enabled.get().text().isEmpty()) {
            return Optional.empty();
        }
        Mesh.Mtls chosen = backends.get(enabled.get().text());
        if (chosen == null) {
            enabled.get().refuse("names no backend; there are " + backends.keySet());
        }
        return Optional.ofNullable(chosen);
    }

    private static Mesh.Mtls backend(Fields backend, ResourceParser.Proof proof) {
        SpiffeTemplate path = proof == ResourceParser.Proof.SERVICE_ACCOUNT
                ? OF_ACCOUNT
                : SpiffeTemplate.of("/{{ .Workload }}");
        String type = backend.require("type").choice(ResourceParser.words("builtin", "provided"));
        TlsMode mode = backend.get("mode")
                .map(value -> value.choice(ResourceParser.words("STRICT", "PERMISSIVE")))
                .map(TlsMode::valueOf)
                .orElse(TlsMode.STRICT);
        Duration expiry = backend.get("dpCert")
                .map(value -> {
                    Fields certificate = value.fields();
                    Duration chosen = certificate.get("rotation")
                            .map(each -> {
                                Fields rotation = each.fields();
                                Duration expiration =
                                        rotation.get("expiration").map(IdentityParser::expiry).orElse(DEFAULT_EXPIRY);
                                rotation.end();
                                return expiration;
                            })
                            .orElse(DEFAULT_EXPIRY);
                    // How long Kuma waits for a CA elsewhere.
                    certificate.accept("requestTimeout");
                    certificate.end();
                    return chosen;
                })
                .orElse(DEFAULT_EXPIRY);
        backend.unsupported("rootChain", "put the chain into the certificate's file");
        if (type.equals("builtin")) {
            backend.unsupported("conf", "the root is EC P-256 for ten years; to bring another use type: provided");
            return new Mesh.Mtls(mode, path, new CaSource.Generated(), expiry);
        }
        Fields conf = backend.require("conf").fields();
        Path certificate = source(conf.require("cert"));
        Path key = source(conf.require("key"));
        conf.end();
        return new Mesh.Mtls(mode, path, new CaSource.Files(certificate, key), expiry);
    }

    private static Path source(Value value) {
        Fields fields = value.fields();
        fields.unsupported("secret", "keep it in a file of its own: {file: /etc/weft/ca.key}");
        fields.unsupported("inline", "keep it in a file of its own: {file: /etc/weft/ca.key}");
        fields.unsupported("inlineString", "keep it in a file of its own: {file: /etc/weft/ca.key}");
        Path path = absolute(fields.require("file"));
        fields.end();
        return path;
    }

    private IdentityParser() {}
}
