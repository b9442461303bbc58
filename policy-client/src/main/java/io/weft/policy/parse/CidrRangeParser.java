package io.weft.policy.parse;

import io.weft.policy.model.CidrRange;
import java.util.ArrayList;
import java.util.List;

/** {@code envoy.config.core.v3.CidrRange} and its twin in xDS. */
final class CidrRangeParser {
    private CidrRangeParser() {}

    static CidrRange parse(Field field, io.weft.policy.proto.envoy.config.core.v3.CidrRange range) {
        return parse(field, range.getAddressPrefix(), range.getPrefixLen().getValue());
    }

    static List<CidrRange> list(
            Field parent, String name, List<io.weft.policy.proto.envoy.config.core.v3.CidrRange> ranges) {
        parent.refuseIf(ranges.isEmpty(), name, "is empty; name at least one range");
        List<CidrRange> parsed = new ArrayList<>(ranges.size());
        for (int i = 0; i < ranges.size(); i++) {
            parsed.add(parse(parent.at(name, i), ranges.get(i)));
        }
        return parsed;
    }

    static List<CidrRange> xdsList(Field parent, String name, List<io.weft.policy.proto.xds.core.v3.CidrRange> ranges) {
        parent.refuseIf(ranges.isEmpty(), name, "is empty; name at least one range");
        List<CidrRange> parsed = new ArrayList<>(ranges.size());
        for (int i = 0; i < ranges.size(); i++) {
            var range = ranges.get(i);
            parsed.add(parse(parent.at(name, i), range.getAddressPrefix(), range.getPrefixLen().getValue()));
        }
        return parsed;
    }

    /** No length is length 0, every address, as in Envoy. */
    private static CidrRange parse(Field field, String address, int length) {
        Field prefix = field.at("address_prefix");
        if (!AddressParser.isLiteral(prefix.notEmpty(address))) {
            throw prefix.refuse("'" + address + "' is not an IP address");
        }
        field.refuseIf(length < 0 || length > 128, "prefix_len", "must be 0 to 128, is " + Integer.toUnsignedString(length));
        return new CidrRange(address, address.indexOf(':') >= 0 ? length : Math.min(length, 32));
    }
}
