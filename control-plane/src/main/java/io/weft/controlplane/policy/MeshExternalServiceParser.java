package io.weft.controlplane.policy;

import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.policy.MeshExternalService.Endpoint;
import io.weft.controlplane.policy.MeshExternalService.Name;
import io.weft.controlplane.policy.MeshExternalService.Tls;
import io.weft.controlplane.policy.MeshExternalService.Verification;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the {@code spec} of a {@code MeshExternalService}. */
final class MeshExternalServiceParser {

    /** Envoy's. */
    private static final int MAX_PRIORITY = 128;

    private static final String IN_PLACE =
            "must be InsecureInline, with the certificate in insecureInline.value: it is no secret, and is read from nowhere else";
    private static final Map<String, String> MODES = ResourceParser.words("Secured", "SkipSAN", "SkipCA", "SkipAll");
    private static final Map<String, Verification> VERIFICATIONS = Map.of(
            "Secured", Verification.SECURED,
            "SkipSAN", Verification.SKIP_SAN,
            "SkipCA", Verification.NONE,
            "SkipAll", Verification.NONE);
    private static final Map<String, Name.Kind> NAME_KINDS = nameKinds();

    private static Map<String, Name.Kind> nameKinds() {
        Map<String, Name.Kind> kinds = new LinkedHashMap<>();
        kinds.put("Exact", Name.Kind.EXACT);
        kinds.put("Prefix", Name.Kind.PREFIX);
        return kinds;
    }

    static MeshExternalService parse(Metadata metadata, Fields spec) {
        Fields match = spec.require("match").fields();
        match.get("type").ifPresent(type -> type.choice(ResourceParser.words("HostnameGenerator")));
        int port = match.require("port").port();
        Protocol protocol = match.get("protocol")
                .map(value -> value.choice(ResourceParser.PROTOCOLS))
                .orElse(Protocol.TCP);
        if (!protocol.http()) {
            match.refuse("protocol", "must be http, http2 or grpc: connections of other protocols are opened by the app itself, to where"
                    + " its own resolver says");
        }
        match.end();
        spec.get("extension").ifPresent(value -> value.refuse("is for plugins of one control plane; write endpoints"));
        List<Endpoint> endpoints = new ArrayList<>();
        for (Value item : spec.require("endpoints").items()) {
            endpoints.add(endpoint(item.fields()));
        }
        if (endpoints.isEmpty()) {
            spec.refuse("endpoints", "needs at least one endpoint");
        }
        Optional<Tls> tls = spec.get("tls").flatMap(value -> tls(value.fields()));
        spec.end();
        return new MeshExternalService(metadata, port, protocol, endpoints, tls);
    }

    private static Endpoint endpoint(Fields fields) {
        Value address = fields.require("address");
        String text = address.nonEmptyText();
        if (!text.isEmpty() && !IpLiteral.is(text) && !MeshHttpRouteParser.isHostName(text)) {
            address.refuse("must be an IP address or a host name in lower case, not '" + text + "'");
        }
        int port = fields.require("port").port();
        int priority = fields.count("priority", 0, MAX_PRIORITY).orElse(0);
        fields.end();
        return new Endpoint(text, port, priority);
    }

    private static Optional<Tls> tls(Fields fields) {
        boolean enabled = fields.get("enabled").map(Value::bool).orElse(false);
        MeshTls.Settings versions = fields.get("version").map(MeshTlsParser::versions).orElse(MeshTls.Settings.NONE);
        fields.get("allowRenegotiation").filter(Value::bool).ifPresent(value -> value.refuse(
                "is not supported: renegotiation lets others speak in a caller's name, and TLS 1.3 has none; remove the field"));
        Tls tls = fields.get("verification")
                .map(value -> verification(value.fields(), versions))
                .orElse(new Tls(versions, Verification.SECURED, Optional.empty(), List.of(), Optional.empty()));
        fields.end();
        return enabled ? Optional.of(tls) : Optional.empty();
    }

    private static Tls verification(Fields fields, MeshTls.Settings versions) {
        String mode = fields.get("mode").map(value -> value.choice(MODES)).orElse("Secured");
        // As in Kuma: where names are not checked, none is asked for.
        boolean named = mode.equals("Secured") || mode.equals("SkipCA");
        Optional<String> serverName = fields.get("serverName").map(MeshHttpRouteParser::hostName).filter(name -> named);
        List<Name> names = new ArrayList<>();
        for (Value item : fields.items("subjectAltNames")) {
            Fields name = item.fields();
            Name.Kind kind = name.get("type").map(value -> value.choice(NAME_KINDS)).orElse(Name.Kind.EXACT);
            names.add(new Name(kind, name.require("value").nonEmptyText()));
            name.end();
        }
        Optional<String> authorities = fields.get("caCert").map(value -> certificates(value.fields()));
        for (String key : new String[] {"clientCert", "clientKey"}) {
            fields.get(key).ifPresent(value -> value.refuse("is not supported: there is no egress that alone would hold the key, so that"
                    + " every data plane of the mesh would get it; let the app show its certificate itself"));
        }
        fields.end();
        return new Tls(versions, VERIFICATIONS.get(mode), serverName, names, authorities);
    }

    /** As 3.0 has it, or 2.14, where nothing says which of them counts. */
    private static String certificates(Fields source) {
        Optional<Value> text = source.get("inlineString");
        Optional<Value> encoded = source.get("inline");
        Optional<Value> secret = source.get("secret");
        secret.ifPresent(value -> value.refuse(IN_PLACE));
        if (text.isPresent() && encoded.isPresent()) {
            text.get().refuse("and inline exclude each other; keep one");
        }
        String certificates = "";
        if (text.isPresent() || encoded.isPresent()) {
            certificates = text.map(value -> certificates(value, value.nonEmptyText())).orElseGet(() -> decoded(encoded.get()));
        } else if (secret.isEmpty()) {
            certificates = byType(source);
        }
        source.end();
        return certificates;
    }

    private static String byType(Fields source) {
        Value type = source.require("type");
        if (!type.text().equals("InsecureInline")) {
            // As in Kuma a file or a variable would be the control plane's own, which is for nobody to have read.
            type.refuse(IN_PLACE);
            source.accept("secretRef", "file", "envVar", "insecureInline");
            return "";
        }
        Fields inline = source.require("insecureInline").fields();
        Value value = inline.require("value");
        inline.end();
        return certificates(value, value.nonEmptyText());
    }

    private static String decoded(Value value) {
        String text = value.nonEmptyText();
        try {
            return certificates(value, new String(Base64.getMimeDecoder().decode(text), StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            value.refuse("must be a certificate in PEM form, written in base 64; without that it is inlineString");
            return "";
        }
    }

    private static String certificates(Value value, String text) {
        try {
            if (!text.isEmpty()) {
                Pem.certificates(text);
            }
        } catch (IOException e) {
            value.refuse(e.getMessage());
        }
        return text;
    }

    private MeshExternalServiceParser() {}
}
