package io.weft.agent.start;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.apachehttpclient4.ApacheHttpAsyncClient4Module;
import io.weft.instrumentation.apachehttpclient4.ApacheHttpClient4Module;
import io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module;
import io.weft.instrumentation.apachehttpclient5.ApacheHttpClient5Module;
import io.weft.instrumentation.armeriaclient.ArmeriaClientModule;
import io.weft.instrumentation.asynchttpclient.AsyncHttpClientModule;
import io.weft.instrumentation.grpc.GrpcModule;
import io.weft.instrumentation.helidon.HelidonClientModule;
import io.weft.instrumentation.helidon.HelidonModule;
import io.weft.instrumentation.httpurlconnection.HttpUrlConnectionModule;
import io.weft.instrumentation.javanethttp.JavaNetHttpModule;
import io.weft.instrumentation.jdkhttpserver.JdkHttpServerModule;
import io.weft.instrumentation.jetty.JettyModule;
import io.weft.instrumentation.jettyclient.JettyClientModule;
import io.weft.instrumentation.jettyclientbefore12.JettyClientBefore12Module;
import io.weft.instrumentation.micronauthttpclient.MicronautHttpClientModule;
import io.weft.instrumentation.netty.NettyModule;
import io.weft.instrumentation.nettyclient.NettyClientModule;
import io.weft.instrumentation.okhttp.OkHttpModule;
import io.weft.instrumentation.reactornetty.ReactorNettyModule;
import io.weft.instrumentation.springrestclient.SpringRestClientModule;
import io.weft.instrumentation.springwebclient.SpringWebClientModule;
import io.weft.instrumentation.tomcat.TomcatModule;
import io.weft.instrumentation.undertow.UndertowModule;
import io.weft.instrumentation.undertow.WildFlyModule;
import io.weft.instrumentation.vertx.VertxModule;
import java.util.List;

/** The one list of libraries that the agent knows; a further one is a line here and a dependency in the pom. */
final class Modules {
    private Modules() {}

    static List<InstrumentationModule> all() {
        return List.of(
                ApacheHttpClient4Module.module(),
                ApacheHttpAsyncClient4Module.module(),
                ApacheHttpClient5Module.module(),
                ApacheHttpAsyncClient5Module.module(),
                ArmeriaClientModule.module(),
                AsyncHttpClientModule.module(),
                GrpcModule.module(),
                HelidonModule.module(),
                HelidonClientModule.module(),
                HttpUrlConnectionModule.module(),
                JavaNetHttpModule.module(),
                JdkHttpServerModule.module(),
                JettyModule.module(),
                JettyClientModule.module(),
                JettyClientBefore12Module.module(),
                MicronautHttpClientModule.module(),
                NettyModule.module(),
                NettyClientModule.module(),
                OkHttpModule.module(),
                ReactorNettyModule.module(),
                SpringRestClientModule.module(),
                SpringWebClientModule.module(),
                TomcatModule.module(),
                UndertowModule.module(),
                VertxModule.module(),
                WildFlyModule.module());
    }
}
