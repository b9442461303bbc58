package io.weft.controlplane.policy;

import io.netty.util.NetUtil;

/** Tells an address from a name without asking a resolver. */
final class IpLiteral {

    static boolean is(String text) {
        return NetUtil.isValidIpV4Address(text) || NetUtil.isValidIpV6Address(text);
    }

    private IpLiteral() {}
}
