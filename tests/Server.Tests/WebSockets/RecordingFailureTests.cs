using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>A disk that takes no recording: the call goes on, and says so.</summary>
public sealed class RecordingFailureTests(LiveSilo silo)
{
    [Theory]
    [InlineData("full from the start")]
    [InlineData("not writable")]
    public async Task ADiskThatFails_CostsTheRecordingAlone(string disk)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request("""Otherwise: say "Yes." """, """{"recordingEnabled":true,"firstSpeakerSettings":{"user":{}}}"""));
        var blob = Path.Combine(silo.Services.GetRequiredService<IOptions<BlobStoreOptions>>().Value.Path, CallBlobs.Recording(call.CallId));
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        if (disk == "not writable") Directory.CreateDirectory(blob);
        else File.CreateSymbolicLink(blob, "/dev/full");

        await call.JoinAsync();
        var told = Assert.Single(await call.ListUntilAsync("events?type=recording_failed", list => list.Count > 0));
        Assert.Equal("error", told.GetProperty("severity").GetString());
        await call.SendAsync("""{"type":"user_text_message","text":"Are you there?"}""");
        await call.WaitForFinalAsync("agent");
        Assert.Equal("hangup", (await call.LeaveAsync()).GetProperty("endReason").GetString());
        Assert.Single(await call.ListAsync("events?type=recording_failed"));
    }
}
