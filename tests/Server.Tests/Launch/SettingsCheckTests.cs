using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Hosting.Launch;
using VoiceGrains.Providers;

namespace VoiceGrains.Server.Tests.Launch;

/// <summary>Mistakes in the configuration, of each kind that there is.</summary>
public sealed class SettingsCheckTests
{
    [Theory]
    [InlineData("Accounts:MaxApiKeys", "many", "'many' at 'Accounts:MaxApiKeys'", "whole number")]
    [InlineData("Accounts:MaxApiKeys", "0", ":\n  AccountOptions: The field MaxApiKeys", " must be between 1 and 100000.")]
    [InlineData("ExternalVoices:Elevenlab:BaseUrl", "wss://example.com", "ExternalVoiceOptions has no such setting", "'Elevenlab'")]
    [InlineData("ExternalVoices:Lmnt:Url", "wss://example.com", "LmntOptions has no such setting", "'Url'")]
    [InlineData("ExternalVoices:Lmnt:StallTimeout", "5s", "'5s' at 'ExternalVoices:Lmnt:StallTimeout'", "00:01:30")]
    [InlineData("Voices:Falback", "Mark", "Voices:Falback", "is not a setting")]
    public void AMistake_IsAMessageForTheTerminal(string setting, string value, string what, string rule)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection([new(setting, value)]);
        builder.Services.AddOptions<AccountOptions>().BindConfiguration("Accounts").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddVoiceProviders(builder.Configuration);
        using IHost host = builder.Build();

        var problem = Assert.Throws<LaunchException>(host.RequireValidSettings);

        Assert.StartsWith("The configuration cannot be used:", problem.Message, StringComparison.Ordinal);
        Assert.Contains(what, problem.Message, StringComparison.Ordinal);
        Assert.Contains(rule, problem.Message, StringComparison.Ordinal);
    }
}
