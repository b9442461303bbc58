package com.example.shop;

import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import java.io.IOException;
import java.net.InetSocketAddress;

/** Both sides of the shop: its page, and the orders. */
public final class Shop {
    private static final MethodDescriptor<String, String> ORDER = Text.method("shop.Orders/Order");
    private static final MethodDescriptor<String, String> PAGE = Text.method("shop.Shop/Page");
    private static final Metadata.Key<String> CANARY = Metadata.Key.of("x-canary", Metadata.ASCII_STRING_MARSHALLER);
    private static final Context.Key<String> CALLERS_CANARY = Context.key("x-canary");

    private final String version = System.getenv().getOrDefault("SHOP_VERSION", "v1");
    private final ManagedChannel orders = ManagedChannelBuilder.forTarget("dns:///orders-grpc:80").usePlaintext().build();

    private Shop() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Shop shop = new Shop();
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(0))
                .addService(ServerServiceDefinition.builder("shop.Orders")
                        .addMethod(ORDER, ServerCalls.asyncUnaryCall((id, answer) -> {
                            answer.onNext(shop.order(id));
                            answer.onCompleted();
                        }))
                        .build())
                .addService(ServerServiceDefinition.builder("shop.Shop")
                        .addMethod(PAGE, ServerCalls.asyncUnaryCall((nothing, answer) -> {
                            answer.onNext(shop.page());
                            answer.onCompleted();
                        }))
                        .build())
                .intercept(new CanaryOfCaller())
                .build()
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
        server.awaitTermination();
    }

    private String order(String id) {
        return "{\"id\":%s,\"version\":\"%s\",\"instance\":\"%d\"}".formatted(id, version, ProcessHandle.current().pid());
    }

    private String page() {
        Metadata headers = new Metadata();
        if (CALLERS_CANARY.get() != null) {
            headers.put(CANARY, CALLERS_CANARY.get());
        }
        return "{\"service\":\"shop\",\"order\":%s}".formatted(ClientCalls.blockingUnaryCall(
                ClientInterceptors.intercept(orders, MetadataUtils.newAttachHeadersInterceptor(headers)), ORDER, CallOptions.DEFAULT, "42"));
    }

    /** Has the header at hand where the page is made. */
    private static final class CanaryOfCaller implements ServerInterceptor {
        @Override
        public <A, B> ServerCall.Listener<A> interceptCall(ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
            return Contexts.interceptCall(Context.current().withValue(CALLERS_CANARY, headers.get(CANARY)), call, headers, next);
        }
    }
}
