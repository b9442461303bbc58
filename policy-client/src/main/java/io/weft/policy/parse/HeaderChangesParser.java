package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import io.weft.policy.model.Format;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValue;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValueOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The four lists by which a route, virtual host, weighted cluster or route configuration changes headers. */
final class HeaderChangesParser {
    private static final int MAX_ADDITIONS = 1000;
    private static final int MAX_BYTES = 16_384;

    private HeaderChangesParser() {}

    static HeaderChanges parse(
            Field parent,
            List<HeaderValueOption> requestAdd,
            List<String> requestRemove,
            List<HeaderValueOption> responseAdd,
            List<String> responseRemove) {
        if (requestAdd.isEmpty() && requestRemove.isEmpty() && responseAdd.isEmpty() && responseRemove.isEmpty()) {
            return HeaderChanges.NONE;
        }
        return new HeaderChanges(
                additions(parent, "request_headers_to_add", requestAdd),
                removals(parent, "request_headers_to_remove", requestRemove),
                additions(parent, "response_headers_to_add", responseAdd),
                removals(parent, "response_headers_to_remove", responseRemove));
    }

    static List<Addition> additions(Field parent, String name, List<HeaderValueOption> options) {
        parent.refuseIf(options.size() > MAX_ADDITIONS, name, "holds more than " + MAX_ADDITIONS + " headers");
        List<Addition> additions = new ArrayList<>(options.size());
        for (int i = 0; i < options.size(); i++) {
            additions.addAll(addition(parent.at(name, i), options.get(i)));
        }
        return additions;
    }

    /** None, where Envoy drops what would be empty unless told to keep it. */
    static List<Addition> addition(Field field, HeaderValueOption option) {
        field.refuseIf(!option.hasHeader(), "header", "is missing");
        Field header = field.at("header");
        String key = headerName(header.at("key"), option.getHeader().getKey());
        Format value = value(header, option.getHeader());
        Action action = action(field, option);
        boolean dropped = value.parts().isEmpty() && !option.getKeepEmptyValue();
        return dropped ? List.of() : List.of(new Addition(key, value, action, option.getKeepEmptyValue()));
    }

    private static List<String> removals(Field parent, String name, List<String> headers) {
        List<String> removals = new ArrayList<>(headers.size());
        for (int i = 0; i < headers.size(); i++) {
            removals.add(headerName(parent.at(name, i), headers.get(i)));
        }
        return removals;
    }

    static String headerName(Field field, String name) {
        field.headerText(field.notEmpty(name));
        if (name.length() > MAX_BYTES) {
            throw field.refuse("is longer than " + MAX_BYTES + " bytes");
        }
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith(":") || lower.equals("host")) {
            throw field.refuse("'" + name + "' cannot be added or removed; use host_rewrite_literal or a path rewrite");
        }
        return lower;
    }

    private static Format value(Field header, HeaderValue value) {
        ByteString raw = value.getRawValue();
        if (raw.isEmpty()) {
            Field field = header.at("value");
            String text = field.headerText(value.getValue());
            if (text.length() > MAX_BYTES) {
                throw field.refuse("is longer than " + MAX_BYTES + " bytes");
            }
            return FormatParser.parse(field, text);
        }
        Field field = header.at("raw_value");
        header.refuseIf(!value.getValue().isEmpty(), "raw_value", "and value are both set; set one");
        for (int i = 0; i < raw.size(); i++) {
            if (raw.byteAt(i) < 0) {
                throw field.refuse("is not ASCII");
            }
        }
        return FormatParser.parse(field, field.headerText(raw.toStringUtf8()));
    }

    @SuppressWarnings("deprecation") // append is what older control planes send
    private static Action action(Field field, HeaderValueOption option) {
        if (option.hasAppend()) {
            boolean both = option.getAppendAction() != HeaderValueOption.HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD;
            field.refuseIf(both, "append", "and append_action are both set; set append_action only");
            return option.getAppend().getValue() ? Action.APPEND_IF_EXISTS_OR_ADD : Action.OVERWRITE_IF_EXISTS_OR_ADD;
        }
        switch (option.getAppendAction()) {
            case APPEND_IF_EXISTS_OR_ADD:
                return Action.APPEND_IF_EXISTS_OR_ADD;
            case ADD_IF_ABSENT:
                return Action.ADD_IF_ABSENT;
            case OVERWRITE_IF_EXISTS_OR_ADD:
                return Action.OVERWRITE_IF_EXISTS_OR_ADD;
            case OVERWRITE_IF_EXISTS:
                return Action.OVERWRITE_IF_EXISTS;
            default:
                throw field.at("append_action").refuse("is unknown");
        }
    }
}
