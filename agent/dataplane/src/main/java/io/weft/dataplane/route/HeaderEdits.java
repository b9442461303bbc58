package io.weft.dataplane.route;

import io.weft.dataplane.RequestHead;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.HeaderChanges;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Folds the request header changes of several levels, applied one after the other as Envoy does, into one set of names to
 * remove, to set and to add. For one thread.
 */
final class HeaderEdits {
    final List<String> remove = new ArrayList<>();
    final List<Map.Entry<String, String>> set = new ArrayList<>();
    final List<Map.Entry<String, String>> add = new ArrayList<>();
    /** Whether the outcome hangs on headers that the app did or did not set. */
    private boolean conditional;

    private final RequestHead request;
    private final Map<String, Header> headers = new LinkedHashMap<>();

    /** @param request null: headers of the app are taken to be absent, and {@link #conditional()} says whether that mattered */
    HeaderEdits(List<HeaderChanges> levels, RequestHead request) {
        this.request = request;
        for (HeaderChanges level : levels) {
            for (String name : level.requestRemove()) {
                header(name).replace();
            }
            for (Addition addition : level.requestAdd()) {
                apply(addition);
            }
        }
        for (Map.Entry<String, Header> entry : headers.entrySet()) {
            emit(entry.getKey(), entry.getValue());
        }
    }

    boolean conditional() {
        return conditional;
    }

    private void apply(Addition addition) {
        Header header = header(addition.name());
        switch (addition.action()) {
            case APPEND_IF_EXISTS_OR_ADD -> header.values.add(addition.value());
            case OVERWRITE_IF_EXISTS_OR_ADD -> header.replace(addition.value());
            case ADD_IF_ABSENT -> {
                if (!exists(addition.name(), header)) {
                    header.values.add(addition.value());
                }
            }
            case OVERWRITE_IF_EXISTS -> {
                if (exists(addition.name(), header)) {
                    header.replace(addition.value());
                }
            }
        }
    }

    private boolean exists(String name, Header header) {
        if (!header.values.isEmpty()) {
            return true;
        }
        if (header.replaced) {
            return false;
        }
        conditional = true;
        return request != null && HeaderTest.value(request, name) != null;
    }

    private void emit(String name, Header header) {
        int first = 0;
        if (header.replaced) {
            if (header.values.isEmpty()) {
                remove.add(name);
                return;
            }
            set.add(Map.entry(name, header.values.get(0)));
            first = 1;
        }
        for (String value : header.values.subList(first, header.values.size())) {
            add.add(Map.entry(name, value));
        }
    }

    private Header header(String name) {
        return headers.computeIfAbsent(name, absent -> new Header());
    }

    private static final class Header {
        /** The app's own values are gone. */
        private boolean replaced;
        private final List<String> values = new ArrayList<>(1);

        void replace(String... with) {
            replaced = true;
            values.clear();
            values.addAll(List.of(with));
        }
    }
}
