package io.weft.policy.parse;

import io.weft.policy.model.HostPort;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/** {@code envoy.config.core.v3.Address}, where only TCP is meant. Resolves nothing. */
enum AddressParser {
    HOST_NAME {
        @Override
        void check(Field field, String host) {}
    },
    LITERAL {
        @Override
        void check(Field field, String host) {
            if (!isLiteral(host)) {
                throw field.refuse("'" + host + "' is not an IP address; host names need a STRICT_DNS cluster");
            }
        }
    };

    private static final Pattern IPV4 = Pattern.compile("((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(?!$)|$)){4}");
    private static final Pattern IPV6_CHARACTERS = Pattern.compile("[0-9a-fA-F:][0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

    abstract void check(Field field, String host);

    HostPort parse(Field field, Address address) {
        switch (address.getAddressCase()) {
            case SOCKET_ADDRESS:
                return socket(field.at("socket_address"), address.getSocketAddress());
            case PIPE:
                throw field.at("pipe").refuse("is not supported; only TCP addresses can be reached");
            case ENVOY_INTERNAL_ADDRESS:
                throw field.at("envoy_internal_address").refuse("is not supported; only TCP addresses can be reached");
            default:
                throw field.refuse("is empty; set socket_address");
        }
    }

    private HostPort socket(Field field, SocketAddress address) {
        field.refuseIf(address.getProtocol() != SocketAddress.Protocol.TCP, "protocol", "only TCP is supported");
        Field host = field.at("address");
        check(host, host.notEmpty(address.getAddress()));
        field.refuseIf(!address.getResolverName().isEmpty(), "resolver_name", "is not supported; leave it out");
        field.refuseIf(!address.getNetworkNamespaceFilepath().isEmpty(), "network_namespace_filepath", "is not supported");
        field.refuseIf(address.hasNamedPort(), "named_port", "is not supported; set port_value");
        field.refuseIf(!address.hasPortValue(), "port_value", "is missing");
        int port = address.getPortValue();
        field.refuseIf(port < 0 || port > 65_535, "port_value", "must be 0 to 65535");
        return new HostPort(address.getAddress(), port);
    }

    static boolean isLiteral(String host) {
        if (IPV4.matcher(host).matches()) {
            return true;
        }
        if (!IPV6_CHARACTERS.matcher(host).matches()) {
            return false;
        }
        try {
            // Of these characters and with a colon it is a literal or an error, never a name that is looked up.
            return InetAddress.getByName(host) != null;
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
