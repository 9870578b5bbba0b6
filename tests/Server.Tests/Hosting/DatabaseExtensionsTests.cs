using Npgsql;
using VoiceGrains.Hosting.Database;

namespace VoiceGrains.Server.Tests.Hosting;

public sealed class DatabaseExtensionsTests
{
    [Fact]
    public void WithDefaults_NoticesSoonAndKeepsPreparedStatements()
    {
        var settings = new NpgsqlConnectionStringBuilder(DatabaseExtensions.WithDefaults("Host=db.example;Database=calls"));

        Assert.Equal((3, 5, 500), (settings.Timeout, settings.CommandTimeout, settings.CancellationTimeout));
        Assert.True(settings.TcpKeepAlive);
        Assert.True(settings.NoResetOnClose);
        Assert.Equal(("db.example", "calls"), (settings.Host, settings.Database));
    }

    [Theory]
    [InlineData("Host=db;Timeout=15;Command Timeout=30;Cancellation Timeout=2000;Tcp Keepalive=false;No Reset On Close=false")]
    [InlineData("Host=db;Timeout=15;CommandTimeout=30;CancellationTimeout=2000;TcpKeepAlive=false;NoResetOnClose=false")]
    public void WithDefaults_LeavesWhatIsGiven(string given)
    {
        var settings = new NpgsqlConnectionStringBuilder(DatabaseExtensions.WithDefaults(given));

        Assert.Equal((15, 30, 2000), (settings.Timeout, settings.CommandTimeout, settings.CancellationTimeout));
        Assert.False(settings.TcpKeepAlive);
        Assert.False(settings.NoResetOnClose);
    }
}
