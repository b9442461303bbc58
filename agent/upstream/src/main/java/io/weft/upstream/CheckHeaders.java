package io.weft.upstream;

import io.weft.policy.model.HeaderChanges;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The headers of a check with what the policy changes of them. */
final class CheckHeaders {
    private CheckHeaders() {}

    @SafeVarargs
    static List<Map.Entry<String, String>> of(HeaderChanges changes, Map.Entry<String, String>... own) {
        List<Map.Entry<String, String>> headers = new ArrayList<>(List.of(own));
        headers.removeIf(header -> changes.requestRemove().contains(header.getKey()));
        for (HeaderChanges.Addition addition : changes.requestAdd()) {
            boolean present = headers.stream().anyMatch(header -> header.getKey().equals(addition.name()));
            boolean add = switch (addition.action()) {
                case APPEND_IF_EXISTS_OR_ADD -> true;
                case ADD_IF_ABSENT -> !present;
                case OVERWRITE_IF_EXISTS_OR_ADD -> {
                    headers.removeIf(header -> header.getKey().equals(addition.name()));
                    yield true;
                }
                case OVERWRITE_IF_EXISTS -> {
                    headers.removeIf(header -> header.getKey().equals(addition.name()));
                    yield present;
                }
            };
            if (add) {
                headers.add(Map.entry(addition.name(), addition.value().text()));
            }
        }
        return List.copyOf(headers);
    }
}
