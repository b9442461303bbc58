package io.weft.instrumentation.undertow;

import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSourceConduit;

/** A request's body of unknown length that is cut off once it is longer than it may be. */
final class LimitedSource extends AbstractStreamSourceConduit<StreamSourceConduit> {
    private final HttpServerExchange exchange;
    private final IncomingRequest incoming;
    private long left;

    LimitedSource(StreamSourceConduit body, HttpServerExchange exchange, IncomingRequest incoming) {
        super(body);
        this.exchange = exchange;
        this.incoming = incoming;
        left = incoming.maxRequestBytes();
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        // Once it has been said, there is no more: Undertow reads to the end before it answers.
        return left < 0 ? -1 : counted(super.read(to));
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (to[i].hasRemaining()) {
                return read(to[i]);
            }
        }
        return 0;
    }

    private int counted(int read) throws IOException {
        left -= Math.max(0, read);
        if (left < 0) {
            incoming.cutOff();
            exchange.setPersistent(false);
            throw new IOException("the request's body is longer than the mesh's policy allows");
        }
        return read;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        return Conduits.transfer(this, count, throughBuffer, target);
    }
}
