package io.weft.dataplane;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Changes to the headers of one message, made one after the other as Envoy makes them, and then given out as one set of names to
 * remove, to set and to add. The message itself stays as it is. For one thread.
 */
public final class HeaderOverlay implements Headers {
    private final Headers base;
    /** In the order in which they were named first. Few, so that to look through them is faster than to hash. */
    private final List<Header> headers = new ArrayList<>(4);

    public HeaderOverlay(Headers base) {
        this.base = base;
    }

    @Override
    public String header(String name) {
        Header header = find(name);
        String own = header != null && header.replaced ? null : base.header(name);
        if (header == null || header.values.isEmpty()) {
            return own;
        }
        String changed = String.join(",", header.values);
        return own == null ? changed : own + ',' + changed;
    }

    @Override
    public List<String> values(String name) {
        Header header = find(name);
        if (header == null) {
            return base.values(name);
        }
        List<String> values = new ArrayList<>(header.replaced ? List.of() : base.values(name));
        values.addAll(header.values);
        return values;
    }

    public void remove(String name) {
        of(name).replace(List.of());
    }

    /** In place of what is there. */
    public void set(String name, String value) {
        of(name).replace(List.of(value));
    }

    /** Beside what is there. */
    public void append(String name, String value) {
        of(name).add(value);
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
        List<Map.Entry<String, String>> set = null;
        for (Header header : headers) {
            if (header.replaced && !header.values.isEmpty()) {
                set = with(set, Map.entry(header.name, header.values.get(0)));
            }
        }
        return set == null ? List.of() : set;
    }

    private List<Map.Entry<String, String>> added() {
        List<Map.Entry<String, String>> added = null;
        for (Header header : headers) {
            for (int i = header.replaced ? 1 : 0; i < header.values.size(); i++) {
                added = with(added, Map.entry(header.name, header.values.get(i)));
            }
        }
        return added == null ? List.of() : added;
    }

    private List<String> removed() {
        List<String> removed = null;
        for (Header header : headers) {
            if (header.replaced && header.values.isEmpty()) {
                removed = with(removed, header.name);
            }
        }
        return removed == null ? List.of() : removed;
    }

    /** @param list null: empty */
    private static <T> List<T> with(List<T> list, T element) {
        List<T> some = list == null ? new ArrayList<>(2) : list;
        some.add(element);
        return some;
    }

    /** The request of which these are the headers. */
    public RequestHead on(RequestHead request, String authority) {
        return new Request(request, authority, this);
    }

    /** The reply with the changed headers; the order of those that stay is kept. */
    public LocalReply applyTo(LocalReply reply) {
        List<Map.Entry<String, String>> changed = new ArrayList<>();
        for (Map.Entry<String, String> own : reply.headers()) {
            Header header = find(own.getKey());
            if (header == null || !header.replaced) {
                changed.add(own);
            }
        }
        headers.forEach(header -> header.values.forEach(value -> changed.add(Map.entry(header.name, value))));
        return new LocalReply(reply.status(), List.copyOf(changed), reply.body());
    }

    private Header of(String name) {
        Header known = find(name);
        if (known != null) {
            return known;
        }
        Header header = new Header(name);
        headers.add(header);
        return header;
    }

    /** Null: nothing is said of it. */
    private Header find(String name) {
        for (int i = 0; i < headers.size(); i++) {
            Header header = headers.get(i);
            if (header.name.equals(name)) {
                return header;
            }
        }
        return null;
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
        private final String name;
        /** The message's own values are gone. */
        private boolean replaced;
        /** Not to be changed. */
        private List<String> values = List.of();

        Header(String name) {
            this.name = name;
        }

        void replace(List<String> with) {
            replaced = true;
            values = with;
        }

        void add(String value) {
            List<String> more = new ArrayList<>(values);
            more.add(value);
            values = more;
        }
    }
}
