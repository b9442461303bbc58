package io.weft.agent.mesh;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Kuma's {@code Dataplane} resource in its universal form, as far as an agent has something to say. Written by hand: a
 * library for it would be loaded in the start of every process.
 */
record DataplaneResource(String mesh, String name, Map<String, String> labels, String address, List<Inbound> inbounds) {

    enum State {
        READY("Ready"), NOT_READY("NotReady"),
        /** There is no such port; the process only has its identity from it. */
        IGNORED("Ignored");

        private final String name;

        State(String name) {
            this.name = name;
        }
    }

    /**
     * @param protocol empty: it is said by a tag alone
     * @param healthPaths that anybody may ask for
     */
    record Inbound(int port, State state, String protocol, Map<String, String> tags, Set<String> healthPaths) {}

    String toJson() {
        StringBuilder json = new StringBuilder(256);
        json.append("{\"type\":\"Dataplane\",\"mesh\":");
        string(json, mesh);
        json.append(",\"name\":");
        string(json, name);
        if (!labels.isEmpty()) {
            json.append(",\"labels\":");
            strings(json, labels);
        }
        json.append(",\"networking\":{\"address\":");
        string(json, address);
        json.append(",\"inbound\":[");
        String separator = "";
        for (Inbound inbound : inbounds) {
            json.append(separator).append("{\"port\":").append(inbound.port);
            json.append(",\"state\":");
            string(json, inbound.state.name);
            if (!inbound.protocol.isEmpty()) {
                json.append(",\"protocol\":");
                string(json, inbound.protocol);
            }
            json.append(",\"tags\":");
            strings(json, inbound.tags);
            json.append('}');
            separator = ",";
        }
        json.append("]}");
        probes(json);
        return json.append('}').toString();
    }

    private void probes(StringBuilder json) {
        String separator = ",\"probes\":{\"endpoints\":[";
        for (Inbound inbound : inbounds) {
            for (String path : inbound.healthPaths) {
                json.append(separator).append("{\"inboundPort\":").append(inbound.port).append(",\"inboundPath\":");
                string(json, path);
                json.append('}');
                separator = ",";
            }
        }
        if (separator.length() == 1) {
            json.append("]}");
        }
    }

    private static void strings(StringBuilder json, Map<String, String> values) {
        char separator = '{';
        for (Map.Entry<String, String> value : values.entrySet()) {
            json.append(separator);
            string(json, value.getKey());
            json.append(':');
            string(json, value.getValue());
            separator = ',';
        }
        json.append(values.isEmpty() ? "{}" : "}");
    }

    /** RFC 8259, section 7. */
    private static void string(StringBuilder json, String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append("\\u00").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 0xF, 16));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }
}
