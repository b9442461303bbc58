package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshPassthrough.Match;
import io.weft.controlplane.policy.MeshPassthrough.Mode;
import io.weft.controlplane.policy.MeshPassthrough.Spoken;
import io.weft.controlplane.policy.MeshPassthrough.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Reads what a {@code MeshPassthrough} says, with Kuma's own checks. */
final class MeshPassthroughParser {

    private static final Map<String, Mode> MODES = modes();
    private static final Map<String, Type> TYPES = types();
    private static final Set<String> OVER_HTTP = Set.of("http", "http2", "grpc");

    private static Map<String, Mode> modes() {
        Map<String, Mode> modes = new LinkedHashMap<>();
        modes.put("Matched", Mode.MATCHED);
        modes.put("All", Mode.ALL);
        modes.put("None", Mode.NONE);
        return modes;
    }

    private static Map<String, Type> types() {
        Map<String, Type> types = new LinkedHashMap<>();
        types.put("Domain", Type.DOMAIN);
        types.put("IP", Type.IP);
        types.put("CIDR", Type.CIDR);
        return types;
    }

    /** One policy's checks of what several of its matches say together. */
    private final Map<Integer, String> protocols = new HashMap<>();
    private final Set<String> seen = new HashSet<>();

    private MeshPassthroughParser() {}

    static MeshPassthrough read(Fields conf, PolicyKind.Place place) {
        MeshPassthroughParser parser = new MeshPassthroughParser();
        Mode mode = conf.get("passthroughMode").map(value -> value.choice(MODES)).orElse(Mode.MATCHED);
        List<Match> matches = new ArrayList<>();
        for (Value item : conf.items("appendMatch")) {
            matches.add(parser.match(item.fields()));
        }
        return new MeshPassthrough(mode, matches);
    }

    private Match match(Fields fields) {
        Type type = fields.require("type").choice(TYPES);
        Value value = fields.require("value");
        OptionalInt port = fields.get("port").map(number -> OptionalInt.of(number.port())).orElse(OptionalInt.empty());
        String protocol = fields.get("protocol")
                .map(spoken -> spoken.choice(ResourceParser.words("tcp", "tls", "grpc", "http", "http2", "mysql")))
                .orElse("tcp");
        fields.end();
        boolean http = OVER_HTTP.contains(protocol);
        String text = value.nonEmptyText();
        if (protocol.equals("mysql") && port.isEmpty()) {
            fields.refuse("port", "is missing; mysql needs one, since its server speaks first");
        }
        switch (type) {
            case DOMAIN -> domain(fields, value, text, port, protocol);
            case IP -> {
                if (!text.isEmpty() && !IpLiteral.is(text)) {
                    value.refuse("must be an IP address, not '" + text + "'");
                }
            }
            default -> cidr(value, text);
        }
        port.ifPresent(number -> {
            String other = protocols.putIfAbsent(number, protocol);
            if (other != null && !other.equals(protocol) && http && OVER_HTTP.contains(other)) {
                fields.refuse("protocol", "must be the same as that of the other matches of port " + number + ", which is " + other);
            }
            if (!seen.add(number + " " + protocol + " " + text)) {
                value.refuse("occurs twice with this port and protocol; keep one");
            }
        });
        return new Match(type, text, port, http ? Spoken.HTTP : protocol.equals("tls") ? Spoken.TLS : Spoken.TCP);
    }

    private static void domain(Fields fields, Value value, String text, OptionalInt port, String protocol) {
        boolean wildcard = text.startsWith("*");
        String name = text.startsWith("*.") ? text.substring(2) : text;
        if (protocol.equals("tcp") || protocol.equals("mysql")) {
            fields.refuse("protocol", "'" + protocol + "' knows no domain; use tls, http, http2 or grpc, or match by IP or CIDR");
        } else if (wildcard && port.isEmpty() && OVER_HTTP.contains(protocol)) {
            fields.refuse("port", "is missing; a wildcard needs one with " + protocol);
        }
        if (!text.isEmpty() && !MeshHttpRouteParser.isHostName(name)) {
            value.refuse("must be a host name in lower case, or one after '*.', not '" + text + "'");
        }
    }

    private static void cidr(Value value, String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? "" : text.substring(0, slash);
        String length = slash < 0 ? "" : text.substring(slash + 1);
        boolean digits = !length.isEmpty() && length.length() <= 3 && length.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!text.isEmpty()
                && (!IpLiteral.is(address) || !digits || Integer.parseInt(length) > (address.contains(":") ? 128 : 32))) {
            value.refuse("must be an address and the length of a prefix, as in 10.0.0.0/8, not '" + text + "'");
        }
    }
}
