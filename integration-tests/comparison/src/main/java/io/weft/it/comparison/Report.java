package io.weft.it.comparison;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;

/** A difference as text: how to repeat it, the configuration, the requests, both results. */
final class Report {
    private static final JsonFormat.Printer JSON = JsonFormat.printer().usingTypeRegistry(
            JsonFormat.TypeRegistry.newBuilder().add(Packed.TYPES.stream().map(Message::getDescriptorForType).toList()).build());

    private Report() {}

    static String of(Run.Failed failed) {
        Case one = failed.smallest().one();
        StringBuilder text = new StringBuilder();
        text.append("--- difference, area ").append(one.area()).append("; repeat with --area ").append(one.area())
                .append(" --cases 1 --seed ").append(failed.seed()).append('\n');
        text.append("configuration (").append(Case.ID).append(" and port ").append(Case.PORT).append(" stand for this case's own):\n");
        if (!one.manager().equals(one.manager().getDefaultInstanceForType())) {
            text.append("connection manager ").append(json(one.manager())).append('\n');
        }
        RouteConfiguration routes = one.routes();
        text.append("routes ").append(json(routes)).append('\n');
        one.clusters().forEach(cluster -> text.append("cluster ").append(json(cluster)).append('\n'));
        text.append(failed.smallest().difference().orElseThrow().text());
        if (failed.smallest().refused()) {
            text.append("\nrequests: ").append(one.requests().size());
        }
        return text.toString();
    }

    private static String json(Message message) {
        try {
            return JSON.print(message);
        } catch (InvalidProtocolBufferException e) {
            // A type that is not in the registry.
            return message.toString();
        }
    }
}
