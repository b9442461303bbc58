package io.weft.dataplane;

import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Addition;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Changes to the headers of one message, made one after the other as Envoy makes them, and then given out as one set of names to
 * remove, to set and to add. The message itself stays as it is. For one thread.
 */
public final class HeaderOverlay implements Headers {
    /** Null: the message's own headers are taken to be absent, and {@link #conditional()} says whether that mattered. */
    private final Headers base;

    private final Map<String, Header> headers = new LinkedHashMap<>();
    private boolean conditional;

    /** @param base null: not known yet, see {@link #conditional()} */
    public HeaderOverlay(Headers base) {
        this.base = base;
    }

    /** Whether the outcome hangs on headers that the message has or has not. */
    public boolean conditional() {
        return conditional;
    }

    @Override
    public String header(String name) {
        Header header = headers.get(name);
        String own = header != null && header.replaced || base == null ? null : base.header(name);
        if (header == null || header.values.isEmpty()) {
            return own;
        }
        String changed = String.join(",", header.values);
        return own == null ? changed : own + ',' + changed;
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

    public void apply(Addition addition) {
        String name = addition.name();
        switch (addition.action()) {
            case APPEND_IF_EXISTS_OR_ADD -> append(name, addition.value());
            case OVERWRITE_IF_EXISTS_OR_ADD -> set(name, addition.value());
            case ADD_IF_ABSENT -> {
                if (!exists(name)) {
                    append(name, addition.value());
                }
            }
            case OVERWRITE_IF_EXISTS -> {
                if (exists(name)) {
                    set(name, addition.value());
                }
            }
        }
    }

    /** What they say of requests; removal comes first. */
    public void applyToRequest(HeaderChanges changes) {
        changes.requestRemove().forEach(this::remove);
        changes.requestAdd().forEach(this::apply);
    }

    /** What they say of responses; removal comes first. */
    public void applyToResponse(HeaderChanges changes) {
        changes.responseRemove().forEach(this::remove);
        changes.responseAdd().forEach(this::apply);
    }

    /** Its headers; path and authority are no headers. */
    public void apply(RequestChanges changes) {
        changes.remove().forEach(this::remove);
        for (Map.Entry<String, String> header : changes.set()) {
            set(header.getKey(), header.getValue());
        }
        for (Map.Entry<String, String> header : changes.add()) {
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
        List<String> remove = new ArrayList<>();
        List<Map.Entry<String, String>> set = new ArrayList<>();
        List<Map.Entry<String, String>> add = new ArrayList<>();
        headers.forEach((name, header) -> {
            for (int i = 0; i < header.values.size(); i++) {
                (i == 0 && header.replaced ? set : add).add(Map.entry(name, header.values.get(i)));
            }
            if (header.replaced && header.values.isEmpty()) {
                remove.add(name);
            }
        });
        return new RequestChanges(path, authority, List.copyOf(set), List.copyOf(add), List.copyOf(remove));
    }

    /** For a response. */
    public HeaderChanges responseChanges() {
        List<String> remove = new ArrayList<>();
        List<Addition> add = new ArrayList<>();
        headers.forEach((name, header) -> {
            if (header.replaced) {
                remove.add(name);
            }
            for (String value : header.values) {
                add.add(new Addition(name, value, HeaderChanges.Action.APPEND_IF_EXISTS_OR_ADD));
            }
        });
        return new HeaderChanges(List.of(), List.of(), add, remove);
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

    private boolean exists(String name) {
        Header header = headers.get(name);
        if (header != null && !header.values.isEmpty()) {
            return true;
        }
        if (header != null && header.replaced) {
            return false;
        }
        conditional = true;
        return base != null && base.header(name) != null;
    }

    private Header of(String name) {
        return headers.computeIfAbsent(name, absent -> new Header());
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
