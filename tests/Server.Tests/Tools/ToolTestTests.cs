using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Tools;

/// <summary><c>POST /api/tools/{id}/test</c> against a real server, which the silo may reach since its operator allows it.</summary>
public sealed class ToolTestTests(ToolTestTests.Servers servers) : IClassFixture<ToolTestTests.Servers>
{
    private string Definition => """
        {"name":"look","definition":{"modelToolName":"look","timeout":"2s",
          "dynamicParameters":[
            {"name":"what","location":"PARAMETER_LOCATION_PATH","schema":{"type":"string"},"required":true},
            {"name":"limit","location":"PARAMETER_LOCATION_QUERY","schema":{"type":"integer","minimum":1}},
            {"name":"tenant","location":"PARAMETER_LOCATION_HEADER","schema":{"type":"string"}}],
          "staticParameters":[{"name":"fixed","location":"PARAMETER_LOCATION_QUERY","value":1}],
          "automaticParameters":[{"name":"state","location":"PARAMETER_LOCATION_BODY","knownValue":"KNOWN_PARAM_CALL_STATE"}],
          "requirements":{"requiredParameterOverrides":["tenant"],"httpSecurityOptions":{"options":[{"requirements":{"key":{"httpAuth":{"scheme":"Bearer"}}}}]}},
          "http":{"baseUrlPattern":"SERVER/{what}","httpMethod":"POST"}}}
        """.Replace("SERVER", servers.Url, StringComparison.Ordinal);

    [Fact]
    public async Task ATest_RunsTheToolAsACallWould()
    {
        using var client = await servers.CreateClientAsync();
        var reply = await TestAsync(client, """{"parameters":{"what":"a b","limit":3,"tenant":"t1"},"authTokens":{"key":"k1"},"callState":{"n":1}}""");
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal("""POST /a%20b?limit=3&fixed=1 t1 Bearer k1 {"state":{"n":1}}""", reply.Json.GetProperty("result").GetString());
        Assert.Equal(("tool-response", "listens", "{\"step\":2}", "null"), (
            reply.Json.GetProperty("responseType").GetString(), reply.Json.GetProperty("agentReaction").GetString(),
            reply.Json.GetProperty("updateCallState").GetRawText(), reply.Json.GetProperty("errorDetails").GetRawText()));
        Assert.Matches("^[0-9.]+s$", reply.Json.GetProperty("duration").GetString());
    }

    [Theory]
    [InlineData("hang-up", "hang-up", false)]
    [InlineData("new-stage", "new-stage", false)]
    [InlineData("fail", "tool-response", true)]
    [InlineData("hang", "tool-response", true)]
    public async Task ATest_TellsWhatTheCallWouldDo(string what, string responseType, bool fails)
    {
        using var client = await servers.CreateClientAsync();
        var reply = await TestAsync(client, """{"parameters":{"what":"WHAT","tenant":"t"},"authTokens":{"key":"k"}}""".Replace("WHAT", what, StringComparison.Ordinal));
        Assert.Equal((200, responseType), (reply.Status, reply.Json.GetProperty("responseType").GetString()));
        Assert.Equal(fails, reply.Json.GetProperty("errorDetails").GetString() is not null);
        Assert.Equal(fails, reply.Json.GetProperty("result").GetString()!.StartsWith("Error: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"parameters":{"tenant":"t"},"authTokens":{"key":"k"}}""", "parameters")]
    [InlineData("""{"parameters":{"what":"a","limit":0,"tenant":"t"},"authTokens":{"key":"k"}}""", "parameters")]
    [InlineData("""{"parameters":{"what":"a"},"authTokens":{"key":"k"}}""", "parameterOverrides")]
    [InlineData("""{"parameters":{"what":"a","tenant":"t"}}""", "authTokens")]
    [InlineData("""{"parameters":[]}""", "parameters")]
    public async Task WhatACallWouldRefuse_IsRefusedByField(string body, string field)
    {
        using var client = await servers.CreateClientAsync();
        var before = servers.Requests;
        var reply = await TestAsync(client, body);
        Assert.Equal(400, reply.Status);
        Assert.Equal(field, Assert.Single(reply.Json.EnumerateObject()).Name);
        Assert.Equal(before, servers.Requests);
    }

    [Fact]
    public async Task AToolOfAClient_CannotBeTested()
    {
        using var client = await servers.CreateClientAsync();
        var tool = await client.PostAsync("/api/tools", ToolEndpointTests.Client("look"));
        var reply = await client.PostAsync($"/api/tools/{tool.Json.GetProperty("toolId").GetString()}/test", "{}");
        Assert.Equal(400, reply.Status);
        Assert.StartsWith("Only HTTP tools can be tested", reply.Json.GetProperty("non_field_errors")[0].GetString());
    }

    [Fact]
    public async Task AnInsideAddress_IsNotReached()
    {
        using var client = await servers.CreateClientAsync();
        var tool = await client.PostAsync("/api/tools", """{"name":"in","definition":{"modelToolName":"in","http":{"baseUrlPattern":"http://169.254.169.254/latest","httpMethod":"GET"}}}""");
        var reply = await client.PostAsync($"/api/tools/{tool.Json.GetProperty("toolId").GetString()}/test", "{}");
        Assert.Equal((200, "Error: The tool could not be reached."), (reply.Status, reply.Json.GetProperty("result").GetString()));
        Assert.NotEmpty(reply.Json.GetProperty("errorDetails").GetString()!);
    }

    private async Task<ApiReply> TestAsync(ApiClient client, string body)
    {
        var tool = await client.PostAsync("/api/tools", Definition);
        Assert.True(tool.Status == 201, tool.Text);
        return await client.PostAsync($"/api/tools/{tool.Json.GetProperty("toolId").GetString()}/test", body);
    }

    /// <summary>A silo that may reach loopback, and a tool's server there.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        private TestDatabase? database;
        private WebApplication? silo, server;
        private int requests;

        public string Url => server!.Urls.Single();
        public int Requests => requests;

        public async ValueTask InitializeAsync()
        {
            database = await PostgresServer.CreateDatabaseAsync();
            silo = await SiloFixture.StartAsync(database, ("Outbound:AllowedNetworks:0", "127.0.0.0/8"));
            var builder = WebApplication.CreateBuilder();
            builder.Logging.ClearProviders();
            server = builder.Build();
            server.Urls.Add("http://127.0.0.1:0");
            server.Run(AnswerAsync);
            await server.StartAsync();
        }

        public Task<ApiClient> CreateClientAsync() => SiloFixture.CreateClientAsync(silo!);

        public async ValueTask DisposeAsync()
        {
            if (server is not null) await server.DisposeAsync();
            if (silo is not null)
            {
                await silo.StopAsync();
                await silo.DisposeAsync();
            }
            if (database is not null) await database.DisposeAsync();
        }

        private async Task AnswerAsync(HttpContext http)
        {
            Interlocked.Increment(ref requests);
            var what = http.Request.Path.Value![1..];
            if (what == "hang") await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (what == "fail") http.Response.StatusCode = 500;
            if (what is "hang-up" or "new-stage") http.Response.Headers["X-Ultravox-Response-Type"] = what;
            http.Response.Headers["X-Ultravox-Agent-Reaction"] = "listens";
            http.Response.Headers["X-Ultravox-Update-Call-State"] = """{"step":2}""";
            using var body = new StreamReader(http.Request.Body);
            var url = new Uri(http.Request.GetEncodedUrl());
            await http.Response.WriteAsync($"{http.Request.Method} {url.PathAndQuery} {http.Request.Headers["tenant"]} {http.Request.Headers.Authorization} {await body.ReadToEndAsync()}");
        }
    }
}
