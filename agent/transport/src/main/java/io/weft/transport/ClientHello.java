package io.weft.transport;

import io.weft.dataplane.Connection.Hello;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a TLS client says first (RFC 8446, 4.1.2), as far as it decides to which filter chain a connection goes. */
final class ClientHello {
    static final int RECORD_HEADER = 5;
    static final byte HANDSHAKE_RECORD = 22;

    /** Change of cipher, alert, handshake and data. */
    private static final int FIRST_TYPE = 20;
    private static final int LAST_TYPE = 23;
    private static final int MAJOR_VERSION = 3;
    private static final int CLIENT_HELLO = 1;
    private static final int MESSAGE_HEADER = 4;
    private static final int SERVER_NAME = 0;
    private static final int ALPN = 16;
    /** Nothing that could be read, so nothing is known: the handshake will tell what is wrong. */
    private static final Hello UNREADABLE = new Hello("", List.of());

    private ClientHello() {}

    /** Whether what is there, at least {@link #RECORD_HEADER} bytes, begins like a record of TLS, of whatever kind. */
    static boolean isRecord(ByteBuffer bytes) {
        byte type = bytes.get(bytes.position());
        return type >= FIRST_TYPE && type <= LAST_TYPE && bytes.get(bytes.position() + 1) == MAJOR_VERSION;
    }

    /**
     * @param records from its position: as many bytes of the connection as there are
     * @return null: more are needed
     */
    static Hello read(ByteBuffer records) {
        ByteBuffer message = message(records.duplicate());
        if (message.limit() >= 1 && message.get(0) != CLIENT_HELLO) {
            return UNREADABLE;
        }
        if (message.limit() < MESSAGE_HEADER) {
            return null;
        }
        int length = (message.get(1) & 0xff) << 16 | (message.get(2) & 0xff) << 8 | message.get(3) & 0xff;
        if (message.limit() < MESSAGE_HEADER + length) {
            return null;
        }
        message.position(MESSAGE_HEADER).limit(MESSAGE_HEADER + length);
        try {
            return hello(message);
        } catch (BufferUnderflowException | IllegalArgumentException malformed) {
            return UNREADABLE;
        }
    }

    /** What the handshake records that are there in whole carry, without their headers. */
    private static ByteBuffer message(ByteBuffer records) {
        ByteBuffer message = ByteBuffer.allocate(records.remaining());
        while (records.remaining() >= RECORD_HEADER && records.get(records.position()) == HANDSHAKE_RECORD) {
            int length = records.getShort(records.position() + 3) & 0xffff;
            if (records.remaining() < RECORD_HEADER + length) {
                break;
            }
            records.position(records.position() + RECORD_HEADER);
            message.put(slice(records, length));
        }
        return message.flip();
    }

    private static Hello hello(ByteBuffer message) {
        skip(message, 2 + 32); // version, random
        skip(message, message.get() & 0xff); // session ID
        skip(message, message.getShort() & 0xffff); // cipher suites
        skip(message, message.get() & 0xff); // compression
        String name = "";
        List<String> protocols = List.of();
        if (message.hasRemaining()) {
            ByteBuffer extensions = slice(message, message.getShort() & 0xffff);
            while (extensions.hasRemaining()) {
                int type = extensions.getShort() & 0xffff;
                ByteBuffer extension = slice(extensions, extensions.getShort() & 0xffff);
                if (type == SERVER_NAME) {
                    name = serverName(extension);
                } else if (type == ALPN) {
                    protocols = protocols(extension);
                }
            }
        }
        return new Hello(name, protocols);
    }

    /** Whatever its characters are: Istio's and Kuma's names are no host names. */
    private static String serverName(ByteBuffer extension) {
        ByteBuffer names = slice(extension, extension.getShort() & 0xffff);
        while (names.hasRemaining()) {
            boolean host = names.get() == 0;
            ByteBuffer name = slice(names, names.getShort() & 0xffff);
            if (host) {
                return text(name).toLowerCase(Locale.ROOT);
            }
        }
        return "";
    }

    private static List<String> protocols(ByteBuffer extension) {
        ByteBuffer list = slice(extension, extension.getShort() & 0xffff);
        List<String> protocols = new ArrayList<>(3);
        while (list.hasRemaining()) {
            protocols.add(text(slice(list, list.get() & 0xff)));
        }
        return protocols;
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.UTF_8.decode(bytes).toString();
    }

    private static void skip(ByteBuffer buffer, int bytes) {
        slice(buffer, bytes);
    }

    private static ByteBuffer slice(ByteBuffer buffer, int bytes) {
        ByteBuffer slice = buffer.slice(buffer.position(), Math.min(bytes, buffer.remaining()));
        if (slice.remaining() < bytes) {
            throw new BufferUnderflowException();
        }
        buffer.position(buffer.position() + bytes);
        return slice;
    }
}
