package io.weft.instrumentation.asynchttpclient;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.LocalReply;
import java.util.Map;

/** In the place of a codec, and of all that would be below it: answers what is sent. */
final class ReplyHandler extends ChannelDuplexHandler {
    private final Hop hop;
    private final LocalReply answer;

    ReplyHandler(Hop hop, LocalReply answer) {
        this.hop = hop;
        this.answer = answer;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        boolean asks = message instanceof HttpRequest;
        ReferenceCountUtil.release(message);
        promise.trySuccess();
        if (asks) {
            // The library is not done with sending.
            context.executor().execute(() -> answer(context));
        }
    }

    private void answer(ChannelHandlerContext context) {
        hop.writeBodyAsEver();
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(answer.status()));
        for (Map.Entry<String, String> header : answer.headers()) {
            head.headers().add(header.getKey(), header.getValue());
        }
        if (answer.status() != 204 && !head.headers().contains(HttpHeaderNames.CONTENT_LENGTH)) {
            head.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
        }
        boolean bodiless = hop.exchange.method().equals("HEAD") || answer.status() == 204 || answer.status() == 304;
        context.fireChannelRead(head);
        if (!bodiless && answer.body().length > 0) {
            context.fireChannelRead(new DefaultHttpContent(Unpooled.wrappedBuffer(answer.body())));
        }
        ((ReplyChannel) context.channel()).spend();
        context.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
        context.close();
    }
}
