package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.weft.policy.parse.KnownMessages.Child;
import io.weft.policy.parse.KnownMessages.Known;
import io.weft.policy.parse.KnownMessages.Label;
import java.io.IOException;
import java.util.List;

/**
 * Fields that a control plane sends and that the API which this build was made with does not have: a newer Envoy's, or one that was
 * taken away. The parsers cannot see them. They are reported by message and number; inside of what decides who gets in and which
 * requests a rule is for they are refused, since a condition that is passed over lets more through.
 */
final class UnknownFields {
    private static final String ANY = "google.protobuf.Any";
    private static final int DEEPEST = 100;

    private static final List<String> STRICT = List.of(
            "envoy.config.rbac.",
            "envoy.extensions.filters.http.rbac.",
            "envoy.extensions.filters.network.rbac.",
            "envoy.extensions.filters.http.jwt_authn.",
            "envoy.extensions.transport_sockets.tls.",
            "envoy.config.listener.v3.FilterChainMatch",
            "envoy.config.route.v3.RouteMatch",
            "envoy.config.route.v3.HeaderMatcher",
            "envoy.config.route.v3.QueryParameterMatcher",
            "envoy.type.matcher.",
            "xds.type.matcher.");

    private final CodedInputStream in;

    private UnknownFields(CodedInputStream in) {
        this.in = in;
    }

    /** @param bytes that have been parsed as the message, but for what is packed into it */
    static void check(Field field, String message, ByteString bytes) {
        try {
            CodedInputStream in = bytes.newCodedInput();
            new UnknownFields(in).message(field, message, false, 0);
        } catch (IOException e) {
            // Something packed that is not what it says; whoever reads it refuses it.
            return;
        }
    }

    /** Whether what is not known in it is refused. */
    static boolean isStrict(String message) {
        for (String prefix : STRICT) {
            if (message.startsWith(prefix)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Up to the limit that is in force.
     *
     * @param within something strict
     */
    private void message(Field field, String message, boolean within, int depth) throws IOException {
        Known known = KnownMessages.of(message);
        if (known == null || depth > DEEPEST) {
            in.skipRawBytes(in.getBytesUntilLimit() < 0 ? 0 : in.getBytesUntilLimit());
            return;
        }
        boolean strict = within || known.strict();
        int[] counts = null;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int number = tag >>> 3;
            int index = known.index(number);
            if (index < 0) {
                unknown(field, message, number, strict);
                in.skipField(tag);
                continue;
            }
            Child child = known.child(index);
            if (child == null || (tag & 7) != 2) {
                in.skipField(tag);
                continue;
            }
            int limit = in.pushLimit(in.readRawVarint32());
            if (child.label() == Label.MAP) {
                entry(field, child, strict, depth);
            } else if (child.label() == Label.REPEATED) {
                counts = counts == null ? new int[known.fields()] : counts;
                value(field.at(child.name(), counts[index]++), child.message(), strict, depth);
            } else {
                value(field.at(child.name()), child.message(), strict, depth);
            }
            in.popLimit(limit);
        }
    }

    private void value(Field field, String message, boolean strict, int depth) throws IOException {
        if (message.equals(ANY)) {
            packed(field, strict, depth);
        } else {
            message(field, message, strict, depth + 1);
        }
    }

    private void entry(Field field, Child child, boolean strict, int depth) throws IOException {
        String key = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag >>> 3 == 1 && (tag & 7) == 2) {
                key = in.readString();
            } else if (tag >>> 3 == 2 && (tag & 7) == 2) {
                int limit = in.pushLimit(in.readRawVarint32());
                value(field.at(child.name(), key), child.message(), strict, depth);
                in.popLimit(limit);
            } else {
                in.skipField(tag);
            }
        }
    }

    private void packed(Field field, boolean strict, int depth) throws IOException {
        String message = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag >>> 3 == 1 && (tag & 7) == 2) {
                String url = in.readString();
                message = url.substring(url.lastIndexOf('/') + 1);
            } else if (tag >>> 3 == 2 && (tag & 7) == 2) {
                int limit = in.pushLimit(in.readRawVarint32());
                value(field, message, strict, depth + 1);
                in.popLimit(limit);
            } else {
                in.skipField(tag);
            }
        }
    }

    private static void unknown(Field field, String message, int number, boolean strict) {
        if (strict) {
            throw field.refuse("field " + number + " of " + message + " is not known to this version, and without it more could be let through; "
                    + "leave it out, or upgrade the agent");
        }
        field.report("field " + number + " of " + message + ", not known to this version");
    }
}
