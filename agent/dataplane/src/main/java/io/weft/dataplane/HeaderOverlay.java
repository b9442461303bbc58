package io.weft.dataplane;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Changes to the headers of one message, made one after the other as Envoy makes them, and then given out as one set of names to
 * remove, to set and to add. The message itself stays as it is. For one thread.
 */
public final class HeaderOverlay implements Headers {
    private final Headers base;
    private final Map<String, Header> headers = new LinkedHashMap<>();

    public HeaderOverlay(Headers base) {
        this.base = base;
    }

    @Override
    public String header(String name) {
        Header header = headers.get(name);
        String own = header != null && header.replaced ? null : base.header(name);
        if (header == null || header.values.isEmpty()) {
            return own;
        }
        String changed = String.join(",", header.values);
        return own == null ? changed : own + ',' + changed;
    }

    @Override
    public List<String> values(String name) {
        Header header = headers.get(name);
        if (header == null) {
            return base.values(name);
        }
        List<String> values = new ArrayList<>(header.replaced ? List.of() : base.values(name));
        values.addAll(header.values);
        return values;
    }

    public void remove(String name) {
        of(name).replace();
    }

    /** In place of what is there. */
    public void set(String name, String value) {
        of(name).replace(value);
    }

    /** Beside what is there. */
    public void append(String name, String value) {
        of(name).values.add(value);
    }

    /** Its headers; path and authority are no headers. */
    public void apply(RequestChanges changes) {
        apply(changes.remove(), changes.set(), changes.add());
    }

    public void apply(ResponseChanges changes) {
        apply(changes.remove(), changes.set(), changes.add());
    }

    private void apply(List<String> remove, List<Map.Entry<String, String>> set, List<Map.Entry<String, String>> add) {
        remove.forEach(this::remove);
        for (Map.Entry<String, String> header : set) {
            set(header.getKey(), header.getValue());
        }
        for (Map.Entry<String, String> header : add) {
            append(header.getKey(), header.getValue());
        }
    }

    /**
     * @param path null: unchanged
     * @param authority null: unchanged
     */
    public RequestChanges requestChanges(String path, String authority) {
        if (path == null && authority == null && headers.isEmpty()) {
            return RequestChanges.NONE;
        }
        return new RequestChanges(path, authority, set(), added(), removed());
    }

    public ResponseChanges responseChanges() {
        return headers.isEmpty() ? ResponseChanges.NONE : new ResponseChanges(set(), added(), removed());
    }

    private List<Map.Entry<String, String>> set() {
        List<Map.Entry<String, String>> set = new ArrayList<>();
        headers.forEach((name, header) -> {
            if (header.replaced && !header.values.isEmpty()) {
                set.add(Map.entry(name, header.values.get(0)));
            }
        });
        return List.copyOf(set);
    }

    private List<Map.Entry<String, String>> added() {
        List<Map.Entry<String, String>> added = new ArrayList<>();
        headers.forEach((name, header) -> {
            for (int i = header.replaced ? 1 : 0; i < header.values.size(); i++) {
                added.add(Map.entry(name, header.values.get(i)));
            }
        });
        return List.copyOf(added);
    }

    private List<String> removed() {
        List<String> removed = new ArrayList<>();
        headers.forEach((name, header) -> {
            if (header.replaced && header.values.isEmpty()) {
                removed.add(name);
            }
        });
        return List.copyOf(removed);
    }

    /** The request of which these are the headers. */
    public RequestHead on(RequestHead request, String authority) {
        return new Request(request, authority, this);
    }

    /** The reply with the changed headers; the order of those that stay is kept. */
    public LocalReply applyTo(LocalReply reply) {
        List<Map.Entry<String, String>> changed = new ArrayList<>();
        for (Map.Entry<String, String> own : reply.headers()) {
            Header header = headers.get(own.getKey());
            if (header == null || !header.replaced) {
                changed.add(own);
            }
        }
        headers.forEach((name, header) -> header.values.forEach(value -> changed.add(Map.entry(name, value))));
        return new LocalReply(reply.status(), List.copyOf(changed), reply.body());
    }

    private Header of(String name) {
        return headers.computeIfAbsent(name, absent -> new Header());
    }

    private record Request(RequestHead request, String authority, HeaderOverlay headers) implements RequestHead {
        @Override
        public String method() {
            return request.method();
        }

        @Override
        public String scheme() {
            return request.scheme();
        }

        @Override
        public String path() {
            return request.path();
        }

        @Override
        public String header(String name) {
            return headers.header(name);
        }

        @Override
        public List<String> values(String name) {
            return headers.values(name);
        }
    }

    private static final class Header {
        /** The message's own values are gone. */
        private boolean replaced;
        private final List<String> values = new ArrayList<>(1);

        void replace(String... with) {
            replaced = true;
            values.clear();
            values.addAll(List.of(with));
        }
    }
}
