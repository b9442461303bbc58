package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.weft.policy.proto.envoy.config.cluster.v3.LoadBalancingPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * {@code envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost}, read field by field: the published API artifact
 * does not have it yet.
 *
 * @param headers names in lower case
 */
record OverrideHostMessage(List<String> headers, LoadBalancingPolicy fallbackPolicy) {
    private static final int SOURCES = 1;
    private static final int SELECTED_HOST_KEY = 2;
    private static final int FALLBACK_POLICY = 3;
    private static final int HEADER = 1;
    private static final int METADATA = 2;

    static OverrideHostMessage parse(Field field, ByteString bytes) {
        List<String> headers = new ArrayList<>();
        LoadBalancingPolicy fallback = null;
        int sources = 0;
        try {
            CodedInputStream in = bytes.newCodedInput();
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                switch (tag >>> 3) {
                    case SOURCES:
                        source(field.at("override_host_sources", sources++), in.readBytes(), headers);
                        break;
                    case SELECTED_HOST_KEY:
                        // Metadata for filters and logs, of which none here reads it.
                        field.at("selected_host_key").report();
                        in.skipField(tag);
                        break;
                    case FALLBACK_POLICY:
                        fallback = LoadBalancingPolicy.parseFrom(in.readBytes());
                        break;
                    default:
                        in.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw field.refuse("is not a valid message of its type: " + e.getMessage());
        }
        field.refuseIf(sources == 0, "override_host_sources", "is empty; name a header");
        field.refuseIf(fallback == null, "fallback_policy", "is missing");
        return new OverrideHostMessage(headers, fallback);
    }

    private static void source(Field field, ByteString bytes, List<String> headers) throws IOException {
        String header = "";
        boolean metadata = false;
        CodedInputStream in = bytes.newCodedInput();
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag >>> 3 == HEADER) {
                header = in.readStringRequireUtf8();
            } else {
                metadata |= tag >>> 3 == METADATA;
                in.skipField(tag);
            }
        }
        field.refuseIf(metadata && !header.isEmpty(), "metadata", "and header are both set; set one");
        if (metadata) {
            // No filter here writes such metadata: as in an Envoy without such a filter, it names nobody.
            field.at("metadata").report();
        } else {
            headers.add(field.at("header").headerText(field.at("header").notEmpty(header)).toLowerCase(Locale.ROOT));
        }
    }
}
