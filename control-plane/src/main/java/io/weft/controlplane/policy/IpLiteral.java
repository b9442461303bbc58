package io.weft.controlplane.policy;

import io.netty.util.NetUtil;

/** Tells an address from a name without asking a resolver. */
public final class IpLiteral {

    public static boolean is(String text) {
        return NetUtil.isValidIpV4Address(text) || NetUtil.isValidIpV6Address(text);
    }

    private IpLiteral() {}
}
