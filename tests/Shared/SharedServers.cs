using VoiceGrains.Tests.Shared;

[assembly: Xunit.AssemblyFixture(typeof(SharedServers))]

namespace VoiceGrains.Tests.Shared;

/// <summary>Stops the servers that the tests of this process shared once the last test is over.</summary>
public sealed class SharedServers : IDisposable
{
    public void Dispose()
    {
        RabbitServer.StopShared();
        PostgresServer.Stop();
    }
}
