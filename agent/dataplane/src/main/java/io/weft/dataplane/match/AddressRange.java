package io.weft.dataplane.match;

import io.weft.dataplane.IpAddress;
import io.weft.policy.model.CidrRange;
import java.util.List;

/** A {@link CidrRange} made ready. Immutable; allocates nothing. */
public final class AddressRange {
    private final IpAddress prefix;
    private final int length;

    private AddressRange(CidrRange range) {
        prefix = IpAddress.parse(range.address());
        length = range.prefixLength();
    }

    public static AddressRange of(CidrRange range) {
        return new AddressRange(range);
    }

    static AddressRange[] of(List<CidrRange> ranges) {
        return ranges.stream().map(AddressRange::new).toArray(AddressRange[]::new);
    }

    public boolean contains(IpAddress address) {
        return address.startsLike(prefix, length);
    }

    static boolean any(AddressRange[] ranges, IpAddress address) {
        for (int i = 0; i < ranges.length; i++) {
            if (ranges[i].contains(address)) {
                return true;
            }
        }
        return false;
    }

    public int length() {
        return length;
    }
}
