package io.weft.policy.parse;

import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Tracing;
import io.weft.policy.model.Tracing.Literal;
import io.weft.policy.model.Tracing.OfEnvironment;
import io.weft.policy.model.Tracing.OfHeader;
import io.weft.policy.model.Tracing.Sampling;
import io.weft.policy.model.Tracing.Tag;
import io.weft.policy.proto.envoy.type.tracing.v3.CustomTag;
import io.weft.policy.proto.envoy.type.v3.Percent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code HttpConnectionManager.Tracing}. Where spans are sent to is a setting of the process that makes them. */
final class TracingParser {
    private TracingParser() {}

    /** As the filter that comes before all others. */
    static List<NamedFilter> parse(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing tracing) {
        field.reportIf(tracing.hasProvider(), "provider");
        field.reportIf(tracing.getVerbose(), "verbose");
        field.reportIf(tracing.hasSpawnUpstreamSpan(), "spawn_upstream_span");
        Sampling sampling = new Sampling(
                percent(field.at("client_sampling"), tracing.hasClientSampling(), tracing.getClientSampling()),
                percent(field.at("random_sampling"), tracing.hasRandomSampling(), tracing.getRandomSampling()),
                percent(field.at("overall_sampling"), tracing.hasOverallSampling(), tracing.getOverallSampling()));
        int maxPathLength = tracing.hasMaxPathTagLength()
                ? Field.limit(tracing.getMaxPathTagLength().getValue())
                : Tracing.DEFAULT_MAX_PATH_LENGTH;
        return List.of(new NamedFilter(
                "tracing", new HttpFilter.Traces(new Tracing(sampling, maxPathLength, tags(field, tracing.getCustomTagsList()))), false));
    }

    private static double percent(Field field, boolean set, Percent percent) {
        return set ? field.percent(percent.getValue()) : 100;
    }

    /** Of two with one name the first counts, as in Envoy. */
    private static List<Tag> tags(Field parent, List<CustomTag> tags) {
        Map<String, Tag> byName = new LinkedHashMap<>();
        for (int i = 0; i < tags.size(); i++) {
            CustomTag tag = tags.get(i);
            Field field = parent.at("custom_tags", i);
            String name = field.at("tag").notEmpty(tag.getTag());
            switch (tag.getTypeCase()) {
                case LITERAL -> byName.putIfAbsent(
                        name, new Literal(name, field.at("literal").at("value").notEmpty(tag.getLiteral().getValue())));
                case ENVIRONMENT -> byName.putIfAbsent(name, new OfEnvironment(
                        name, field.at("environment").at("name").notEmpty(tag.getEnvironment().getName()),
                        tag.getEnvironment().getDefaultValue()));
                case REQUEST_HEADER -> byName.putIfAbsent(name, new OfHeader(
                        name,
                        field.at("request_header").at("name").notEmpty(tag.getRequestHeader().getName()).toLowerCase(Locale.ROOT),
                        tag.getRequestHeader().getDefaultValue()));
                // No filter here writes metadata.
                case METADATA -> field.at("metadata").report();
                // A newer Envoy's: a span less well described is no reason to be without the listener.
                default -> field.report("a tag of a kind that is not known here");
            }
        }
        return new ArrayList<>(byName.values());
    }
}
