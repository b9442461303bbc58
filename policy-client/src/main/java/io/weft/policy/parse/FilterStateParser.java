package io.weft.policy.parse;

import io.weft.policy.model.Format;
import io.weft.policy.model.HttpFilter.SetFilterState;
import io.weft.policy.model.HttpFilter.StateValue;
import io.weft.policy.proto.envoy.config.core.v3.SubstitutionFormatString;
import io.weft.policy.proto.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue;
import io.weft.policy.proto.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue.SharedWithUpstream;
import io.weft.policy.proto.envoy.extensions.filters.http.set_filter_state.v3.Config;
import java.util.ArrayList;
import java.util.List;

/** {@code envoy.extensions.filters.http.set_filter_state.v3.Config}. */
final class FilterStateParser {
    private static final String STRING = "envoy.string";
    private static final String HASHABLE_STRING = "envoy.hashable_string";

    private FilterStateParser() {}

    static SetFilterState parse(Field field, Config config) {
        List<StateValue> values = new ArrayList<>(config.getOnRequestHeadersCount());
        for (int i = 0; i < config.getOnRequestHeadersCount(); i++) {
            values.add(value(field.at("on_request_headers", i), config.getOnRequestHeaders(i)));
        }
        return new SetFilterState(values);
    }

    private static StateValue value(Field field, FilterStateValue value) {
        String key = field.at("object_key").notEmpty(value.getObjectKey());
        boolean own = value.getFactoryKey().isEmpty();
        String factory = own ? key : value.getFactoryKey();
        field.refuseIf(!factory.equals(STRING) && !factory.equals(HASHABLE_STRING), own ? "object_key" : "factory_key",
                "'" + factory + "' makes an object that means nothing here; set factory_key to " + STRING + " or " + HASHABLE_STRING);
        // Nobody else sets any, and of several in one filter the last one counts in Envoy, too.
        field.reportIf(value.getReadOnly(), "read_only");
        SharedWithUpstream shared = value.getSharedWithUpstream();
        field.refuseIf(shared == SharedWithUpstream.UNRECOGNIZED, "shared_with_upstream", "is unknown");
        field.reportIf(shared != SharedWithUpstream.NONE, "shared_with_upstream");
        if (!value.hasFormatString()) {
            throw field.at("format_string").refuse("is missing");
        }
        return new StateValue(
                key,
                factory.equals(HASHABLE_STRING),
                text(field.at("format_string"), value.getFormatString()),
                value.getFormatString().getOmitEmptyValues(),
                value.getSkipIfEmpty());
    }

    @SuppressWarnings("deprecation") // text_format
    private static Format text(Field field, SubstitutionFormatString format) {
        field.refuseIf(format.getFormattersCount() > 0, "formatters", "are not supported; use the operators that need none");
        switch (format.getFormatCase()) {
            case TEXT_FORMAT:
                return FormatParser.parse(field.at("text_format"), format.getTextFormat());
            case TEXT_FORMAT_SOURCE:
                Field source = field.at("text_format_source");
                return FormatParser.parse(source, RouteParser.inline(source, format.getTextFormatSource()).toStringUtf8());
            case JSON_FORMAT:
                throw field.at("json_format").refuse("is not supported; use text_format_source");
            default:
                throw field.refuse("says nothing; set text_format_source");
        }
    }
}
