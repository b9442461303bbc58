package io.weft.transport;

import io.weft.dataplane.Connection.Hello;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.Rejection;
import io.weft.dataplane.ServerTls;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.SelectionKey;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * The bytes of a connection that a server has accepted, as the app's server sees them: plaintext, whatever is on the socket. The first
 * ones decide what it is ({@link InboundConnection#decide}); what policy wants secured is made so by an engine of JSSE.
 *
 * <p>Until {@link #handshake} has said that it is done, exactly one record is read at a time, after the first. So nothing of what follows is in
 * here by then, and a selector that looks at the socket misses nothing. Blocking or not as the socket is. One thread may read while another
 * writes.
 */
public final class AcceptedChannel {
    /** No {@link #read} gives more bytes; one into a buffer with so much room spares a copy. */
    public static final int MOST_AT_ONCE = 16_709;

    /** What an HTTP/2 client with prior knowledge sends first (RFC 9113, 3.4). */
    private static final byte[] HTTP_2_PREFACE = "PRI * HTTP/2.0\r\n".getBytes(StandardCharsets.US_ASCII);
    /** Any server's first read has room for so much. */
    private static final int FIRST_READ = 8192;
    private static final String HTTP_2 = "h2";
    private static final int RECORD = MOST_AT_ONCE;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** While JSSE reads a client's hello of ours on this thread. */
    private static final ThreadLocal<Boolean> SHAKING_HANDS = new ThreadLocal<>();

    private enum State { SNIFFING, SHAKING_HANDS, TELLING_HTTP_2, PLAINTEXT, SECURED, FAILED }

    private final ByteChannel socket;
    private final InboundConnection connection;
    private final boolean http2;
    private final ReentrantLock writing = new ReentrantLock();

    private volatile State state = State.SNIFFING;
    private SSLEngine engine;
    /** Off the wire and not yet read; always ready for reading. */
    private ByteBuffer in = ByteBuffer.allocate(RECORD).flip();
    /** Decrypted and not yet read; always ready for reading. */
    private ByteBuffer plain = NOTHING;
    /** Encrypted and not yet on the wire; always ready for reading. Guarded by {@link #writing}. */
    private ByteBuffer out = NOTHING;
    private boolean first = true;
    private boolean speaksHttp2;

    /**
     * @param socket what is on the wire; a read from it that gives nothing means that there is nothing yet
     * @param http2 the app's server can speak HTTP/2; it asks {@link #speaksHttp2} when
     */
    public AcceptedChannel(ByteChannel socket, InboundConnection connection, boolean http2) {
        this.socket = socket;
        this.connection = connection;
        this.http2 = http2;
        if (!connection.inspects()) {
            state = State.PLAINTEXT;
        }
    }

    /**
     * Whether a client's hello that is read on this thread is one of the mesh's. JSSE refuses names in it that are no host names, which
     * those of a mesh often are not.
     */
    public static boolean readsHello() {
        return SHAKING_HANDS.get() != null;
    }

    /** After the handshake: whether the client speaks HTTP/2 over TLS. */
    public boolean speaksHttp2() {
        return speaksHttp2;
    }

    /** Whether what is on the wire is encrypted. */
    public boolean isSecured() {
        return state == State.SECURED;
    }

    public InboundConnection connection() {
        return connection;
    }

    /** It is known what it is, and secured if it has to be. */
    public boolean isReady() {
        return state == State.PLAINTEXT || state == State.SECURED;
    }

    /**
     * Goes on as far as it can without waiting; the socket does not block.
     *
     * @return 0: it is ready; {@link SelectionKey#OP_READ} or {@link SelectionKey#OP_WRITE}: call again when the socket is
     * @throws IOException it is to be closed
     */
    public int handshake() throws IOException {
        try {
            int wanted = state == State.SNIFFING ? sniff() : 0;
            if (wanted == 0 && !isReady() && state != State.TELLING_HTTP_2) {
                wanted = shakeHands();
            }
            return wanted == 0 && state == State.TELLING_HTTP_2 ? tellHttp2() : wanted;
        } catch (IOException | RuntimeException | Error e) {
            if (state == State.SHAKING_HANDS || state == State.TELLING_HTTP_2 && e instanceof SSLException) {
                connection.rejected(Rejection.HANDSHAKE);
                sayWhy();
            }
            state = State.FAILED;
            throw e instanceof IOException failed ? failed : new IOException("cannot tell what the connection is", e);
        }
    }

    private int sniff() throws IOException {
        if (!in.hasRemaining() && !readFirst()) {
            return SelectionKey.OP_READ;
        }
        if (in.get(in.position()) != ClientHello.HANDSHAKE_RECORD) {
            decide(null);
            return 0;
        }
        Hello hello = ClientHello.read(in);
        while (hello == null) {
            if (!fillRecord()) {
                return SelectionKey.OP_READ;
            }
            hello = ClientHello.read(in);
        }
        decide(hello);
        return 0;
    }

    private void decide(Hello hello) throws IOException {
        switch (connection.decide(hello)) {
            case PASS -> state = State.PLAINTEXT;
            case SECURE -> {
                engine = connection.tls().engine(http2);
                state = State.SHAKING_HANDS;
                engine.beginHandshake();
            }
            case CLOSE -> throw new IOException("policy does not admit the connection");
        }
    }

    private int shakeHands() throws IOException {
        ServerTls tls = connection.tls();
        ByteBuffer nothing = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        while (true) {
            if (!flush()) {
                return SelectionKey.OP_WRITE;
            }
            switch (engine.getHandshakeStatus()) {
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    SSLEngineResult result = unwrap(nothing);
                    if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
                        throw new EOFException("closed during the handshake");
                    }
                    if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW && !fillRecord()) {
                        return SelectionKey.OP_READ;
                    }
                }
                case NEED_TASK -> runTasks();
                case NEED_WRAP -> wrap(NOTHING);
                case NOT_HANDSHAKING, FINISHED -> {
                    connection.secured(tls.peer(engine));
                    String chosen = engine.getApplicationProtocol();
                    speaksHttp2 = HTTP_2.equals(chosen);
                    // Whoever has not said by ALPN what it speaks may speak it unasked.
                    state = http2 && (chosen == null || chosen.isEmpty()) ? State.TELLING_HTTP_2 : State.SECURED;
                    return 0;
                }
            }
        }
    }

    private int tellHttp2() throws IOException {
        int most = engine.getSession().getApplicationBufferSize();
        if (plain.capacity() < most + HTTP_2_PREFACE.length) {
            plain = ByteBuffer.allocate(most + HTTP_2_PREFACE.length).flip();
        }
        while (plain.remaining() < HTTP_2_PREFACE.length && startsLikePreface(plain)) {
            plain.compact();
            SSLEngineResult result;
            try {
                result = unwrap(plain);
            } finally {
                plain.flip();
            }
            afterUnwrap();
            if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
                throw new EOFException("closed before a request");
            }
            if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW && !fillRecord()) {
                return SelectionKey.OP_READ;
            }
        }
        first = false;
        speaksHttp2 = plain.remaining() >= HTTP_2_PREFACE.length && startsLikePreface(plain);
        state = State.SECURED;
        return 0;
    }

    private static boolean startsLikePreface(ByteBuffer start) {
        for (int i = 0; i < Math.min(start.remaining(), HTTP_2_PREFACE.length); i++) {
            if (start.get(start.position() + i) != HTTP_2_PREFACE[i]) {
                return false;
            }
        }
        return true;
    }

    private SSLEngineResult unwrap(ByteBuffer to) throws SSLException {
        if (state != State.SHAKING_HANDS) {
            return engine.unwrap(in, to);
        }
        SHAKING_HANDS.set(true);
        try {
            return engine.unwrap(in, to);
        } finally {
            SHAKING_HANDS.remove();
        }
    }

    private void runTasks() {
        SHAKING_HANDS.set(true);
        try {
            for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                task.run();
            }
        } finally {
            SHAKING_HANDS.remove();
        }
    }

    /** An alert, if the engine has one, so that the client knows more than that the connection is gone. */
    private void sayWhy() {
        try {
            while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP && flush()) {
                if (wrap(NOTHING).bytesProduced() == 0) {
                    break;
                }
            }
            flush();
        } catch (IOException gone) {
            // Whoever failed to shake hands may have gone, too; it is closed either way.
            return;
        }
    }

    /**
     * As much as there is, and not the one byte that tells what it is, so that the first read of the app's server gives what it would give
     * without us: Tomcat looks for HTTP/2's preface there and nowhere else. Of TLS it is the hello and no more, since its client waits for an answer.
     *
     * @return false: nothing is there
     */
    private boolean readFirst() throws IOException {
        in.compact().limit(FIRST_READ);
        try {
            int read = socket.read(in);
            if (read < 0) {
                throw new EOFException("closed before it said what it is");
            }
            return read > 0;
        } finally {
            in.flip();
        }
    }

    /** @return false: not all are there */
    private boolean fill(int bytes) throws IOException {
        in.compact();
        try {
            in.limit(Math.min(in.capacity(), bytes));
            while (in.hasRemaining()) {
                int read = socket.read(in);
                if (read < 0) {
                    throw new EOFException("closed before it said what it is");
                }
                if (read == 0) {
                    return false;
                }
            }
            return true;
        } finally {
            in.flip();
        }
    }

    /** One more record, after those that are there in whole. */
    private boolean fillRecord() throws IOException {
        int whole = 0;
        while (in.remaining() >= whole + ClientHello.RECORD_HEADER) {
            int end = whole + ClientHello.RECORD_HEADER + (in.getShort(in.position() + whole + 3) & 0xffff);
            if (in.remaining() < end) {
                break;
            }
            whole = end;
        }
        if (in.capacity() < whole + ClientHello.RECORD_HEADER) {
            throw new SSLException("too much before the handshake");
        }
        if (in.remaining() < whole + ClientHello.RECORD_HEADER && !fill(whole + ClientHello.RECORD_HEADER)) {
            return false;
        }
        if (!ClientHello.isRecord(in.slice(in.position() + whole, ClientHello.RECORD_HEADER))) {
            throw new SSLException("what is no TLS, within TLS");
        }
        int end = whole + ClientHello.RECORD_HEADER + (in.getShort(in.position() + whole + 3) & 0xffff);
        if (end > in.capacity()) {
            throw new SSLException("a record is too long");
        }
        return fill(end);
    }

    /**
     * After the handshake.
     *
     * @return -1 at the end
     */
    public int read(ByteBuffer to) throws IOException {
        return switch (state) {
            case PLAINTEXT -> in.hasRemaining() ? transfer(in, to) : socket.read(to);
            case SECURED -> readSecured(to);
            default -> throw new ClosedChannelException();
        };
    }

    private int readSecured(ByteBuffer to) throws IOException {
        if (!to.hasRemaining()) {
            return 0;
        }
        if (plain.hasRemaining()) {
            return transfer(plain, to);
        }
        while (true) {
            int record = engine.getSession().getApplicationBufferSize();
            boolean direct = to.remaining() >= record;
            if (!direct && plain.capacity() == 0) {
                plain = ByteBuffer.allocate(record);
            }
            ByteBuffer target = direct ? to : plain.clear();
            SSLEngineResult result;
            try {
                result = unwrap(target);
            } finally {
                if (!direct) {
                    plain.flip();
                }
            }
            afterUnwrap();
            if (result.bytesProduced() > 0) {
                if (first) {
                    first = false;
                    checkProtocol(direct ? to.duplicate().flip().position(to.position() - result.bytesProduced()) : plain);
                }
                return direct ? result.bytesProduced() : transfer(plain, to);
            }
            switch (result.getStatus()) {
                case CLOSED -> {
                    return -1;
                }
                case BUFFER_UNDERFLOW -> {
                    in.compact();
                    int read;
                    try {
                        read = socket.read(in);
                    } finally {
                        in.flip();
                    }
                    if (in.remaining() >= ClientHello.RECORD_HEADER && !ClientHello.isRecord(in)) {
                        connection.rejected(Rejection.HANDSHAKE);
                        throw new SSLException("what is no TLS, within TLS");
                    }
                    if (read <= 0) {
                        // Without a farewell: HTTP has its own framing, and says itself when something is missing.
                        return read;
                    }
                }
                case BUFFER_OVERFLOW -> throw new SSLException("a record holds more than it may");
                case OK -> { }
            }
        }
    }

    /** A key update, say. */
    private void afterUnwrap() throws IOException {
        HandshakeStatus status = engine.getHandshakeStatus();
        while (status == HandshakeStatus.NEED_WRAP) {
            writing.lock();
            try {
                if (!flush()) {
                    return;
                }
                wrap(NOTHING);
                flush();
            } finally {
                writing.unlock();
            }
            status = engine.getHandshakeStatus();
        }
        if (status == HandshakeStatus.NEED_TASK) {
            // Of TLS 1.2: who the client is was decided once, and is not to change.
            connection.rejected(Rejection.HANDSHAKE);
            throw new SSLException("the client wants to renegotiate");
        }
    }

    private void checkProtocol(ByteBuffer start) throws IOException {
        if (http2 || start.remaining() < HTTP_2_PREFACE.length) {
            return;
        }
        if (!startsLikePreface(start)) {
            return;
        }
        connection.rejected(Rejection.HTTP2);
        throw new IOException("HTTP/2 with prior knowledge, which the server does not speak");
    }

    private static int transfer(ByteBuffer from, ByteBuffer to) {
        int bytes = Math.min(from.remaining(), to.remaining());
        to.put(from.slice(from.position(), bytes));
        from.position(from.position() + bytes);
        return bytes;
    }

    /** Whether {@link #read} gives something though the socket may have nothing. */
    public boolean hasInput() {
        if (state != State.SECURED) {
            return state == State.PLAINTEXT && in.hasRemaining();
        }
        return plain.hasRemaining()
                || in.remaining() >= ClientHello.RECORD_HEADER
                        && in.remaining() >= ClientHello.RECORD_HEADER + (in.getShort(in.position() + 3) & 0xffff);
    }

    /** @return how many bytes were taken; some of them may be on their way still, see {@link #flush} */
    public int write(ByteBuffer from) throws IOException {
        return state == State.PLAINTEXT ? socket.write(from) : (int) writeSecured(new ByteBuffer[] {from}, 0, 1);
    }

    /** The same, of several: in as few records as they fit into. */
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        return state == State.PLAINTEXT ? writePlaintext(from, offset, length) : writeSecured(from, offset, length);
    }

    private long writePlaintext(ByteBuffer[] from, int offset, int length) throws IOException {
        if (socket instanceof GatheringByteChannel gathering) {
            return gathering.write(from, offset, length);
        }
        long taken = 0;
        for (int i = offset; i < offset + length; i++) {
            taken += socket.write(from[i]);
            if (from[i].hasRemaining()) {
                break;
            }
        }
        return taken;
    }

    private long writeSecured(ByteBuffer[] from, int offset, int length) throws IOException {
        if (state != State.SECURED) {
            throw new ClosedChannelException();
        }
        writing.lock();
        try {
            long taken = 0;
            int next = offset;
            while (flushHeld()) {
                while (next < offset + length && !from[next].hasRemaining()) {
                    next++;
                }
                if (next == offset + length) {
                    break;
                }
                SSLEngineResult result = wrapHeld(from, next, offset + length - next);
                if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
                    throw new ClosedChannelException();
                }
                taken += result.bytesConsumed();
            }
            return taken;
        } finally {
            writing.unlock();
        }
    }

    private SSLEngineResult wrap(ByteBuffer... from) throws SSLException {
        writing.lock();
        try {
            return wrapHeld(from, 0, from.length);
        } finally {
            writing.unlock();
        }
    }

    /** With {@link #writing} held. */
    private SSLEngineResult wrapHeld(ByteBuffer[] from, int offset, int length) throws SSLException {
        int packet = engine.getSession().getPacketBufferSize();
        if (out.capacity() < packet) {
            out = ByteBuffer.allocate(packet);
        }
        out.clear();
        try {
            return engine.wrap(from, offset, length, out);
        } finally {
            out.flip();
        }
    }

    /** @return whether all that was taken is on the wire */
    public boolean flush() throws IOException {
        if (state == State.PLAINTEXT) {
            return true;
        }
        writing.lock();
        try {
            return flushHeld();
        } finally {
            writing.unlock();
        }
    }

    /** With {@link #writing} held. */
    private boolean flushHeld() throws IOException {
        while (out.hasRemaining()) {
            if (socket.write(out) == 0) {
                return false;
            }
        }
        return true;
    }

    /** Bytes that were taken and are not on the wire yet. */
    public int unflushed() {
        if (state == State.PLAINTEXT) {
            return 0;
        }
        writing.lock();
        try {
            return out.remaining();
        } finally {
            writing.unlock();
        }
    }

    /** Says farewell where that takes no time, and closes the socket. */
    public void close() throws IOException {
        try {
            sayFarewell();
        } catch (IOException gone) {
            // The client was faster.
            return;
        } finally {
            state = State.FAILED;
            connection.closed();
            socket.close();
        }
    }

    /** Where that takes no time: nothing more is written, and what comes in can be read still. */
    public void sayFarewell() throws IOException {
        // Who is in the middle of a write may be there for long.
        if (state == State.SECURED && socket.isOpen() && writing.tryLock()) {
            try {
                engine.closeOutbound();
                if (flush()) {
                    wrap(NOTHING);
                    flush();
                }
            } finally {
                writing.unlock();
            }
        }
    }
}
