package io.weft.controlplane.xds;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.type.v3.SemanticVersion;

/**
 * The program that a data plane is, as it says itself in its node.
 *
 * @param version empty: it does not say
 * @param pid null: it does not say
 */
public record ClientBuild(String version, Long pid) {

    static ClientBuild of(Node node) {
        Struct metadata = node.getMetadata();
        Value version = metadata.getFieldsOrDefault("weft.version", Value.getDefaultInstance());
        Value pid = metadata.getFieldsOrDefault("weft.pid", Value.getDefaultInstance());
        return new ClientBuild(
                version.getStringValue().isEmpty() ? proxy(node) : version.getStringValue(),
                pid.hasNumberValue() ? Long.valueOf((long) pid.getNumberValue()) : null);
    }

    private static String proxy(Node node) {
        if (!node.hasUserAgentBuildVersion()) {
            return node.getUserAgentVersion();
        }
        SemanticVersion version = node.getUserAgentBuildVersion().getVersion();
        return version.getMajorNumber() + "." + version.getMinorNumber() + "." + version.getPatch();
    }
}
