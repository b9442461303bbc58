package io.weft.dataplane;

import io.weft.dataplane.format.Formatter;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.format.StreamInfo;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import java.util.ArrayList;
import java.util.List;

/**
 * The header changes of several levels for one direction, applied one level after the other. Of one level, as in Envoy, what is
 * removed goes first; then all values and conditions are worked out from what is there; then headers are set, and last added.
 * Immutable.
 */
public final class HeaderMutations {
    private final Level[] levels;
    private final boolean constant;

    private record Level(List<String> remove, Entry[] entries) {}

    private record Entry(String name, Formatter value, Action action, boolean keepEmpty) {}

    private HeaderMutations(List<Level> levels) {
        this.levels = levels.toArray(new Level[0]);
        boolean constant = true;
        for (Level level : levels) {
            for (Entry entry : level.entries()) {
                boolean conditional = entry.action() == Action.ADD_IF_ABSENT || entry.action() == Action.OVERWRITE_IF_EXISTS;
                constant &= !conditional && entry.value().text() != null;
            }
        }
        this.constant = constant;
    }

    /** @param levels in the order in which they are applied */
    public static HeaderMutations ofRequest(List<HeaderChanges> levels, ProcessInfo process) {
        List<Level> compiled = new ArrayList<>(levels.size());
        for (HeaderChanges level : levels) {
            add(compiled, level.requestRemove(), level.requestAdd(), process);
        }
        return new HeaderMutations(compiled);
    }

    /** @param levels in the order in which they are applied */
    public static HeaderMutations ofResponse(List<HeaderChanges> levels, ProcessInfo process) {
        List<Level> compiled = new ArrayList<>(levels.size());
        for (HeaderChanges level : levels) {
            add(compiled, level.responseRemove(), level.responseAdd(), process);
        }
        return new HeaderMutations(compiled);
    }

    private static void add(List<Level> levels, List<String> remove, List<Addition> additions, ProcessInfo process) {
        if (remove.isEmpty() && additions.isEmpty()) {
            return;
        }
        Entry[] entries = new Entry[additions.size()];
        for (int i = 0; i < entries.length; i++) {
            Addition addition = additions.get(i);
            entries[i] = new Entry(
                    addition.name(), Formatter.of(addition.value(), process), addition.action(), addition.keepEmpty());
        }
        levels.add(new Level(remove, entries));
    }

    public boolean isEmpty() {
        return levels.length == 0;
    }

    /** Whether the outcome is the same for every message. */
    public boolean constant() {
        return constant;
    }

    /** @param request with these headers */
    public void changeRequest(HeaderOverlay headers, RequestHead request, StreamInfo info) {
        for (Level level : levels) {
            apply(level, headers, request, null, info);
        }
    }

    /** @param request as it was sent */
    public void changeResponse(HeaderOverlay headers, RequestHead request, StreamInfo info) {
        for (Level level : levels) {
            apply(level, headers, request, headers, info);
        }
    }

    private static void apply(Level level, HeaderOverlay headers, RequestHead request, Headers response, StreamInfo info) {
        for (String name : level.remove()) {
            headers.remove(name);
        }
        Entry[] entries = level.entries();
        String[] values = new String[entries.length];
        for (int i = 0; i < entries.length; i++) {
            Entry entry = entries[i];
            String value = entry.value().format(request, response, info, "");
            if ((!value.isEmpty() || entry.keepEmpty()) && applies(entry, headers)) {
                values[i] = value;
            }
        }
        for (int i = 0; i < entries.length; i++) {
            if (values[i] != null && overwrites(entries[i].action())) {
                headers.set(entries[i].name(), values[i]);
            }
        }
        for (int i = 0; i < entries.length; i++) {
            if (values[i] != null && !overwrites(entries[i].action())) {
                headers.append(entries[i].name(), values[i]);
            }
        }
    }

    private static boolean applies(Entry entry, HeaderOverlay headers) {
        return switch (entry.action()) {
            case ADD_IF_ABSENT -> headers.header(entry.name()) == null;
            case OVERWRITE_IF_EXISTS -> headers.header(entry.name()) != null;
            case APPEND_IF_EXISTS_OR_ADD, OVERWRITE_IF_EXISTS_OR_ADD -> true;
        };
    }

    private static boolean overwrites(Action action) {
        return action == Action.OVERWRITE_IF_EXISTS || action == Action.OVERWRITE_IF_EXISTS_OR_ADD;
    }
}
