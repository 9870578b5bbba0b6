using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Calls;

/// <summary>What REST gives of a call while it runs: data messages in, its recording out.</summary>
public sealed class LiveCallApiTests(SiloFixture silo)
{
    [Theory]
    [InlineData("{}", """{"type":["This field is required."]}""")]
    [InlineData("""{"type":5}""", """{"type":["Must be 'forced_agent_message', 'hang_up' or 'user_text_message'."]}""")]
    [InlineData("""{"type":"ping"}""", """{"type":["Must be 'forced_agent_message', 'hang_up' or 'user_text_message'."]}""")]
    [InlineData("""{"type":"user_text_message"}""", """{"text":["This field is required."]}""")]
    [InlineData("""{"type":"user_text_message","text":"a","urgency":"now"}""", """{"urgency":["Must match ^(immediate|soon|later)$."]}""")]
    [InlineData("""{"type":"user_text_message","text":"a","txt":"b"}""", """{"txt":["Unknown field."]}""")]
    [InlineData("""{"type":"hang_up","message":1}""", """{"message":["Not a valid string."]}""")]
    [InlineData("""{"type":"forced_agent_message"}""", """{"non_field_errors":["One of 'content' and 'toolCalls' must be set."]}""")]
    [InlineData("""{"type":"forced_agent_message","toolCalls":[{"arguments":{}}]}""", """{"toolCalls":[{"name":["This field is required."]}]}""")]
    [InlineData("""{"type":"forced_agent_message","content":"a","threadId":5}""", """{"threadId":["Not a valid string."]}""")]
    public async Task BadDataMessages_AreRefusedByField(string message, string expected)
    {
        using var client = await silo.CreateClientAsync();
        var (path, _) = await JoinAsync(client);
        var reply = await client.PostAsync(path + "/send_data_message", message);
        Assert.Equal((400, expected), (reply.Status, reply.Text));
    }

    /// <summary>Taken here, they would be left out there, where nobody hears of it.</summary>
    [Theory]
    [InlineData("""{"type":"user_text_message","text":"LONG"}""", "text")]
    [InlineData("""{"type":"hang_up","message":"LONG"}""", "message")]
    [InlineData("""{"type":"forced_agent_message","content":"LONG"}""", "content")]
    [InlineData("""{"type":"forced_agent_message","toolCalls":[MANY]}""", "toolCalls")]
    public async Task DataMessages_ThatAConversationWouldNotTake_AreRefused(string message, string field)
    {
        using var client = await silo.CreateClientAsync();
        var (path, _) = await JoinAsync(client);
        message = message.Replace("LONG", new string('a', 64 * 1024 + 1), StringComparison.Ordinal)
            .Replace("MANY", string.Join(',', Enumerable.Repeat("""{"name":"look"}""", 17)), StringComparison.Ordinal);
        var reply = await client.PostAsync(path + "/send_data_message", message);
        Assert.Equal((400, field), (reply.Status, Assert.Single(reply.Json.EnumerateObject()).Name));
    }

    [Theory]
    [InlineData("""{"type":"user_text_message","text":"Hi","urgency":"later"}""")]
    [InlineData("""{"type":"hang_up"}""")]
    [InlineData("""{"type":"user_text_message","text":"Hi","threadId":"research"}""")]
    [InlineData("""{"type":"forced_agent_message","content":"Stop.","uninterruptible":true,"urgency":"immediate","toolCalls":[{"name":"hangUp","arguments":{"reason":"x"}}]}""")]
    public async Task DataMessages_ReachTheConversation_OrAre422(string message)
    {
        using var client = await silo.CreateClientAsync();
        var (path, callId) = await JoinAsync(client);
        Assert.Equal(422, (await client.PostAsync(path + "/send_data_message", message)).Status);
        var conversation = new Conversation(callId);
        var live = silo.Services.GetRequiredService<LiveCalls>();
        live.TryAdd(callId, conversation);
        Assert.Equal(204, (await client.PostAsync(path + "/send_data_message", message)).Status);
        Assert.Equal(message, Assert.Single(conversation.Posted).ToJsonString());
        live.Remove(callId);
        Assert.Equal(422, (await client.PostAsync(path + "/send_data_message", message)).Status);
    }

    [Fact]
    public async Task Recording_IsServedInRanges()
    {
        using var client = await silo.CreateClientAsync();
        var (path, callId) = await JoinAsync(client, """{"recordingEnabled":true}""");
        Assert.Equal(425, (await client.GetAsync(path + "/recording")).Status);
        byte[] sound = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];
        using (var recording = silo.Services.GetRequiredService<IBlobStore>().OpenWrite(CallBlobs.Recording(callId))) recording.Write(sound);

        using var whole = await client.Http.GetAsync(path + "/recording", SiloFixture.Cancel);
        Assert.Equal((HttpStatusCode.OK, "audio/wav"), (whole.StatusCode, whole.Content.Headers.ContentType!.MediaType));
        Assert.Equal(sound, await whole.Content.ReadAsByteArrayAsync(SiloFixture.Cancel));

        using var request = new HttpRequestMessage(HttpMethod.Get, path + "/recording") { Headers = { Range = new RangeHeaderValue(10, 19) } };
        using var part = await client.Http.SendAsync(request, SiloFixture.Cancel);
        Assert.Equal((HttpStatusCode.PartialContent, "bytes 10-19/200"), (part.StatusCode, part.Content.Headers.ContentRange!.ToString()));
        Assert.Equal(sound[10..20], await part.Content.ReadAsByteArrayAsync(SiloFixture.Cancel));

        using var beyond = new HttpRequestMessage(HttpMethod.Get, path + "/recording") { Headers = { Range = new RangeHeaderValue(200, null) } };
        using var refused = await client.Http.SendAsync(beyond, SiloFixture.Cancel);
        Assert.Equal((HttpStatusCode.RequestedRangeNotSatisfiable, "bytes */200"), (refused.StatusCode, refused.Content.Headers.ContentRange!.ToString()));
    }

    [Fact]
    public async Task HeadOfARecording_TellsItsLengthAndSendsNothing()
    {
        using var client = await silo.CreateClientAsync();
        var (path, callId) = await JoinAsync(client, """{"recordingEnabled":true}""");
        using (var recording = silo.Services.GetRequiredService<IBlobStore>().OpenWrite(CallBlobs.Recording(callId))) recording.Write(new byte[200]);

        using var request = new HttpRequestMessage(HttpMethod.Head, path + "/recording");
        using var head = await client.Http.SendAsync(request, SiloFixture.Cancel);
        Assert.Equal((HttpStatusCode.OK, "audio/wav", 200), (head.StatusCode, head.Content.Headers.ContentType!.MediaType, head.Content.Headers.ContentLength));
        Assert.Equal("bytes", Assert.Single(head.Headers.AcceptRanges));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(SiloFixture.Cancel));
    }

    [Fact]
    public async Task WithoutARecording_404()
    {
        using var client = await silo.CreateClientAsync();
        var (path, _) = await JoinAsync(client);
        Assert.Equal(404, (await client.GetAsync(path + "/recording")).Status);
    }

    private async Task<(string Path, string CallId)> JoinAsync(ApiClient client, string body = "{}")
    {
        var call = (await client.PostAsync("/api/calls", body)).Json;
        var callId = call.GetProperty("callId").GetString()!;
        await silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(callId).JoinAsync(call.GetProperty("joinUrl").GetString()!.Split('/')[^1], null);
        return ($"/api/calls/{callId}", callId);
    }

    private sealed class Conversation(string callId) : ILiveCall
    {
        public CallRun Run => new(callId, 1);
        public bool IsOver => false;
        public List<JsonObject> Posted { get; } = [];

        public bool TryPost(JsonObject message)
        {
            Posted.Add(message);
            return true;
        }

        public Task EndAsync(EndReason reason, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
