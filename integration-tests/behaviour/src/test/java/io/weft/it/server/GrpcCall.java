package io.weft.it.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * One call of {@link io.weft.driver.GrpcServer} over a connection of its own, HTTP/2 with prior knowledge, as a sidecar would make it.
 *
 * @param message what came back; empty: nothing
 * @param status {@code grpc-status}, and all other headers and trailers of the response
 */
record GrpcCall(String message, Map<String, String> status) {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;

    static GrpcCall unary(Socket socket, String message) throws IOException, Http2Exception {
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        frames.write(PREFACE);
        DataOutputStream to = new DataOutputStream(frames);
        frame(to, SETTINGS, 0, 0, new byte[0]);
        frame(to, HEADERS, END_HEADERS, 1, headers());
        byte[] text = message.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream framed = new ByteArrayOutputStream();
        DataOutputStream length = new DataOutputStream(framed);
        length.writeByte(0);
        length.writeInt(text.length);
        length.write(text);
        frame(to, DATA, END_STREAM, 1, framed.toByteArray());
        out.write(frames.toByteArray());
        return read(new DataInputStream(socket.getInputStream()));
    }

    private static byte[] headers() throws Http2Exception {
        Http2Headers headers = new DefaultHttp2Headers()
                .method("POST").scheme("http").path("/test.Echo/UNARY").authority("orders")
                .add("content-type", "application/grpc").add("te", "trailers");
        ByteBuf encoded = Unpooled.buffer();
        new DefaultHttp2HeadersEncoder().encodeHeaders(1, headers, encoded);
        byte[] bytes = new byte[encoded.readableBytes()];
        encoded.readBytes(bytes);
        return bytes;
    }

    private static void frame(DataOutputStream out, int type, int flags, int stream, byte[] payload) throws IOException {
        out.writeByte(payload.length >> 16);
        out.writeShort(payload.length);
        out.writeByte(type);
        out.writeByte(flags);
        out.writeInt(stream);
        out.write(payload);
    }

    private static GrpcCall read(DataInputStream in) throws IOException, Http2Exception {
        DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder();
        StringBuilder message = new StringBuilder();
        Map<String, String> status = new TreeMap<>();
        while (true) {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            in.readInt();
            byte[] payload = in.readNBytes(length);
            if (type == DATA && length > 5) {
                message.append(new String(payload, 5, length - 5, StandardCharsets.UTF_8));
            } else if (type == HEADERS) {
                for (Map.Entry<CharSequence, CharSequence> header : decoder.decodeHeaders(1, Unpooled.wrappedBuffer(payload))) {
                    status.put(header.getKey().toString(), header.getValue().toString());
                }
            }
            if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
                return new GrpcCall(message.toString(), status);
            }
        }
    }
}
