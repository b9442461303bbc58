package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshTls.Settings;
import io.weft.controlplane.policy.MeshTls.Version;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the {@code spec} of a {@code MeshTLS}, with Kuma's own checks. */
final class MeshTlsParser {

    static final Map<String, TlsMode> MODES = modes();

    private static final Map<String, Version> VERSIONS = versions();
    private static final Map<String, String> CIPHERS = ResourceParser.words(
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
            "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305");

    private static Map<String, TlsMode> modes() {
        Map<String, TlsMode> modes = new LinkedHashMap<>();
        modes.put("Permissive", TlsMode.PERMISSIVE);
        modes.put("Strict", TlsMode.STRICT);
        return modes;
    }

    private static Map<String, Version> versions() {
        Map<String, Version> versions = new LinkedHashMap<>();
        versions.put("TLSAuto", Version.AUTO);
        versions.put("TLS10", Version.TLS_1_0);
        versions.put("TLS11", Version.TLS_1_1);
        versions.put("TLS12", Version.TLS_1_2);
        versions.put("TLS13", Version.TLS_1_3);
        return versions;
    }

    static MeshTls parse(Metadata metadata, Fields spec) {
        InboundTarget target = TargetRefParser.inbound(spec, metadata);
        boolean wholeMesh = target.dataplanes() instanceof TargetRef.WholeMesh && !metadata.isOfItsNamespace();
        Settings settings = Settings.NONE;
        for (Value item : spec.items("rules")) {
            Fields rule = item.fields();
            settings = settings(rule, wholeMesh).over(settings);
            rule.end();
        }
        for (Value item : spec.items("from")) {
            Fields from = item.fields();
            Fields source = from.require("targetRef").fields();
            source.require("kind").choice(ResourceParser.words("Mesh"));
            source.end();
            settings = settings(from, wholeMesh).over(settings);
            from.end();
        }
        spec.end();
        return new MeshTls(metadata, target, settings);
    }

    private static Settings settings(Fields item, boolean wholeMesh) {
        Optional<Value> value = item.get("default");
        if (value.isEmpty()) {
            return Settings.NONE;
        }
        Fields fields = value.get().fields();
        Optional<TlsMode> mode = fields.get("mode").map(each -> each.choice(MODES));
        Optional<Value> ciphers = fields.get("tlsCiphers");
        Optional<Value> version = fields.get("tlsVersion");
        if (!wholeMesh) {
            // The callers use them too, and these are not known when they are chosen.
            String why = "can only be set for the whole mesh; set targetRef to {kind: Mesh}, in a cluster in the control plane's namespace";
            ciphers.ifPresent(each -> each.refuse(why));
            version.ifPresent(each -> each.refuse(why));
        }
        Optional<List<String>> names = ciphers.map(each -> {
            List<String> list = new ArrayList<>();
            each.items().forEach(cipher -> list.add(cipher.choice(CIPHERS)));
            return list;
        });
        Settings versions = version.map(MeshTlsParser::versions).orElse(Settings.NONE);
        fields.end();
        return new Settings(mode, versions.minimum(), versions.maximum(), names);
    }

    /** Of {@code min} and {@code max} alone. */
    static Settings versions(Value value) {
        Fields range = value.fields();
        Optional<Version> minimum = range.get("min").map(each -> each.choice(VERSIONS));
        Optional<Version> maximum = range.get("max").map(each -> each.choice(VERSIONS));
        boolean both = minimum.isPresent() && maximum.isPresent() && maximum.get() != Version.AUTO;
        if (both && minimum.get().compareTo(maximum.get()) > 0) {
            range.refuse("min", "must not be above max");
        }
        if (maximum.isPresent() && (maximum.get() == Version.TLS_1_0 || maximum.get() == Version.TLS_1_1)) {
            range.refuse("max", "must be TLS12 or TLS13: agents speak nothing older");
        }
        range.end();
        return new Settings(Optional.empty(), minimum, maximum, Optional.empty());
    }

    private MeshTlsParser() {}
}
