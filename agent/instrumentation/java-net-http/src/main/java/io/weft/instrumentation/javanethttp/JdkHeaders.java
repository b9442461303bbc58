package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.net.http.HttpHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A copy of immutable headers, to be changed. */
final class JdkHeaders implements EditableHeaders {
    private final Map<String, List<String>> values = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    JdkHeaders(HttpHeaders headers) {
        headers.map().forEach((name, all) -> values.put(name, new ArrayList<>(all)));
    }

    static ResponseHeaders view(HttpHeaders headers) {
        return name -> joined(headers.allValues(name));
    }

    /** @return null when there are none */
    static String joined(List<String> values) {
        return switch (values.size()) {
            case 0 -> null;
            case 1 -> values.get(0);
            default -> String.join(",", values);
        };
    }

    @Override
    public boolean contains(String name) {
        return values.containsKey(name);
    }

    @Override
    public void add(String name, String value) {
        values.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
    }

    @Override
    public void set(String name, String value) {
        values.put(name, new ArrayList<>(List.of(value)));
    }

    @Override
    public void remove(String name) {
        values.remove(name);
    }

    HttpHeaders build() {
        return HttpHeaders.of(values, (name, value) -> true);
    }
}
