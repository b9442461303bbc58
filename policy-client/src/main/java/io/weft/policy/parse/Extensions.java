package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.weft.policy.proto.envoy.config.core.v3.ApiVersion;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.TransportSocket;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.protobuf.Any;
import java.io.IOException;
import java.util.Set;

/** Envoy's extension points, by the type of what is plugged in. */
final class Extensions {
    static final String HTTP_FILTERS = "envoy.extensions.filters.http.";

    static final String HTTP_CONNECTION_MANAGER =
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    private static final String RAW_BUFFER = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

    /** They observe, or negotiate what only a proxy negotiates. */
    private static final Set<String> WITHOUT_EFFECT_ON_TRAFFIC = Set.of(
            HTTP_FILTERS + "grpc_stats.v3.FilterConfig",
            "stats.PluginConfig",
            "io.istio.http.peer_metadata.Config",
            "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
            "envoy.tcp.metadataexchange.config.MetadataExchange",
            "io.istio.network.peer_metadata.Config");

    /** Istio's own filters come in one of these, as their messages are not in Envoy's API. */
    private static final Set<String> TYPED_STRUCTS = Set.of("udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct");
    private static final int TYPE_URL = 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;

    private static final Set<String> SECURITY = Set.of(
            HTTP_FILTERS + "rbac.v3.RBAC",
            HTTP_FILTERS + "rbac.v3.RBACPerRoute",
            HTTP_FILTERS + "ext_authz.v3.ExtAuthz",
            HTTP_FILTERS + "ext_authz.v3.ExtAuthzPerRoute",
            HTTP_FILTERS + "jwt_authn.v3.JwtAuthentication",
            "envoy.extensions.filters.network.rbac.v3.RBAC",
            "envoy.extensions.filters.network.ext_authz.v3.ExtAuthz");

    private Extensions() {}

    /** The message name of a type URL. */
    static String typeOf(Any any) {
        String url = any.getTypeUrl();
        return url.substring(url.lastIndexOf('/') + 1);
    }

    static boolean isSecurity(String type) {
        return SECURITY.contains(type);
    }

    static boolean isWithoutEffect(Any config) {
        String type = typeOf(config);
        return WITHOUT_EFFECT_ON_TRAFFIC.contains(TYPED_STRUCTS.contains(type) ? packedType(config.getValue()) : type);
    }

    /** What a {@code TypedStruct} says that it holds; empty: nothing. */
    private static String packedType(ByteString struct) {
        try {
            CodedInputStream in = struct.newCodedInput();
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                if (tag == TYPE_URL) {
                    String url = in.readStringRequireUtf8();
                    return url.substring(url.lastIndexOf('/') + 1);
                }
                in.skipField(tag);
            }
        } catch (IOException e) {
            // It holds nothing that is known, and that is refused.
            return "";
        }
        return "";
    }

    static Refusal unenforced(Field field, Filter filter) {
        return field.refuse("network filter '" + filter.getName() + "' (" + typeOf(filter.getTypedConfig())
                + ") is not enforced here, so nothing would be protected; remove it for this node");
    }

    static Refusal unsupportedInFront(Field field, Filter filter) {
        return field.refuse("network filter '" + filter.getName() + "' (" + typeOf(filter.getTypedConfig())
                + ") in front of HTTP is not supported; remove it for this node");
    }

    static Refusal unsupportedEnd(Field field, Filter filter) {
        return field.refuse("network filter '" + filter.getName() + "' (" + typeOf(filter.getTypedConfig())
                + ") is not supported; end the chain in the HTTP connection manager or tcp_proxy");
    }

    static void plaintext(Field field, TransportSocket socket) {
        String type = socket.hasTypedConfig() ? typeOf(socket.getTypedConfig()) : "";
        boolean raw = type.isEmpty() ? socket.getName().equals("envoy.transport_sockets.raw_buffer") : type.equals(RAW_BUFFER);
        if (!raw) {
            throw field.refuse("transport socket '" + socket.getName() + "'" + (type.isEmpty() ? "" : " (" + type + ")")
                    + " is not supported here, and without it traffic would be in plaintext; use raw_buffer, or take TLS off"
                    + " for this node");
        }
    }

    /** Everything comes over the one ADS stream. */
    static void ads(Field field, ConfigSource source) {
        if (!source.hasAds() && !source.hasSelf()) {
            throw field.refuse("this source is not supported, only ads and self are; set ads: {}");
        }
        apiVersion(field, source);
    }

    /** The older ones are taken for the newest: whoever names them speaks it, or there would be no stream. */
    static void apiVersion(Field field, ConfigSource source) {
        field.refuseIf(source.getResourceApiVersion() == ApiVersion.UNRECOGNIZED, "resource_api_version", "is unknown; use V3");
    }
}
