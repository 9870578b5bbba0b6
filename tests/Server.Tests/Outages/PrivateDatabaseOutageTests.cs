using VoiceGrains.Server.Tests.Launch;

namespace VoiceGrains.Server.Tests.Outages;

/// <summary>The PostgreSQL that a silo brought along dies.</summary>
public sealed class PrivateDatabaseOutageTests(InitializedData initialized) : IClassFixture<InitializedData>, IDisposable
{
    private readonly string folder = InitializedData.MakeFolder();

    private string Data => Path.Combine(folder, "data");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task AKilledPrivatePostgres_IsStartedAgain_AndTheLiveCallGoesOn()
    {
        initialized.CopyTo(Data);
        await using var server = await Server.OfAsync(await SiloProcess.StartReadyAsync(Data, Conversation.RecognitionTimeout));
        await using var talk = await Conversation.StartAsync(server);
        await talk.TakeTurnAsync();
        var killed = server.Process.PostgresId;

        Native.Kill(killed);
        await talk.TakeTurnAsync();
        await server.Process.UntilPrintedAsync("is started again");
        await server.UntilReadyAsync();

        await talk.HangUpAsync();
        await talk.AssertStoredAsync();
        Assert.NotEqual(killed, server.Process.PostgresId);
        await using var next = await Conversation.StartAsync(server);
    }

    private static class Native
    {
        public static void Kill(int processId)
        {
            using var process = System.Diagnostics.Process.GetProcessById(processId);
            process.Kill();
        }
    }
}
