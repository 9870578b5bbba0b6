using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Silo.Drain;

namespace VoiceGrains.Server.Tests.Drain;

public sealed class DrainOptionsTests
{
    [Theory]
    [InlineData(null, null, "00:00:00")]
    [InlineData("", null, "00:00:00")]
    [InlineData("amqp://broker", null, "00:15:00")]
    [InlineData("amqp://broker", "00:01:00", "00:01:00")]
    [InlineData(null, "00:01:00", "00:01:00")]
    public void Timeout_DependsOnWhetherOthersTakeTheCalls(string? broker, string? timeout, string expected)
        => Assert.Equal(TimeSpan.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), Read(broker, timeout).Timeout);

    [Theory]
    [InlineData("-00:00:01")]
    [InlineData("1.00:00:01")]
    public void Timeout_OutOfRange_IsRefused(string timeout)
        => Assert.Contains("Drain:Timeout", Assert.Throws<OptionsValidationException>(() => Read(null, timeout)).Message, StringComparison.Ordinal);

    private static DrainOptions Read(string? broker, string? timeout)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        foreach (var (key, value) in new[] { ("Cluster:RabbitMq", broker), ("Drain:Timeout", timeout) })
            if (value is not null) builder.Configuration.AddInMemoryCollection([new(key, value)]);
        builder.AddDrain();
        using var services = builder.Services.BuildServiceProvider();
        return services.GetRequiredService<IOptions<DrainOptions>>().Value;
    }
}
