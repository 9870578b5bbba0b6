using Microsoft.Extensions.DependencyInjection;

namespace VoiceGrains.Grains.Tools;

internal static class ToolServices
{
    /// <summary>Adds durable tools, what turns selected tools into those of a call, and the running of HTTP tools.</summary>
    public static IServiceCollection AddTools(this IServiceCollection services)
    {
        services.AddOptions<ToolOptions>().BindConfiguration("Tools").ValidateDataAnnotations()
            .Validate(options => options.ConnectTimeout > TimeSpan.Zero, "Tools:ConnectTimeout must be positive.")
            .Validate(options => options.ConnectionIdleTimeout >= TimeSpan.Zero, "Tools:ConnectionIdleTimeout must not be negative.").ValidateOnStart();
        services.AddOptions<DurableToolOptions>().BindConfiguration("Tools:Durable").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<HttpToolInvoker>();
        services.AddSingleton<ToolStore>();
        services.AddSingleton<ToolHistory>();
        services.AddSingleton<ToolSelection>();
        services.AddSingleton(provider => new ToolTester(provider.GetRequiredService<HttpToolInvoker>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
