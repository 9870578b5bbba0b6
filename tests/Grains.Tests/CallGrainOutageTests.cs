using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Tests.Calls;

namespace VoiceGrains.Grains.Tests;

/// <summary>A call whose database goes away while it talks.</summary>
public sealed class CallGrainOutageTests(RestartablePostgres server) : IClassFixture<RestartablePostgres>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnEndWhileTheDatabaseIsAway_IsStoredWhenItIsBack()
    {
        await using var database = await server.CreateDatabaseAsync();
        await using var host = await CallHost.StartAsync(database.ConnectionString);
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), DateTimeOffset.UtcNow);
        var grain = host.Call(settings.CallId);
        var call = await grain.CreateAsync(settings);
        await grain.JoinAsync(call.JoinUrl!.Split('/')[^1], null);
        host.Journal.Write(settings.CallId, 1, new Message { Role = MessageRole.Agent, Text = "before", CallStageId = "s1" });
        await host.Journal.FlushAsync(settings.CallId, Cancel);

        await server.StopAsync();
        host.Journal.Write(settings.CallId, 1, new Message { Role = MessageRole.Agent, Text = "meanwhile", CallStageId = "s1", CallStageMessageIndex = 1 });
        var ending = grain.EndAsync(new CallOutcome(EndReason.AgentHangup));
        Assert.NotSame(ending, await Task.WhenAny(ending, Task.Delay(TimeSpan.FromMilliseconds(300), Cancel)));
        await server.StartAsync();

        var ended = await ending.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(EndReason.AgentHangup, ended.EndReason);
        await host.Journal.FlushAsync(settings.CallId, Cancel);
        Assert.Equal(EndReason.AgentHangup, (await host.Store.FindAsync("account-1", settings.CallId, Cancel))!.EndReason);
        var messages = await host.Store.ListMessagesAsync(settings.CallId, null, new(null, 10), Cancel);
        Assert.Equal(["before", "meanwhile"], messages.Results.Select(message => message.Text));
    }
}
