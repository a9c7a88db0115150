"""The table of tiny pipelines: what each one's configs are and what it is there to prove."""

CROSS_DOWN, PLAIN_DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, PLAIN_UP = "CrossAttnUpBlock2D", "UpBlock2D"
SD_BETAS = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, num_train_timesteps=1000)


def unet(channels, *, cross, heads, **more):
    """A UNet with the block list of Stable Diffusion: all levels attend but the lowest one."""
    levels = len(channels)
    return dict(
        sample_size=16,
        block_out_channels=channels,
        down_block_types=[CROSS_DOWN] * (levels - 1) + [PLAIN_DOWN],
        up_block_types=[PLAIN_UP] + [CROSS_UP] * (levels - 1),
        cross_attention_dim=cross,
        attention_head_dim=heads,
        **{"norm_num_groups": 4, "layers_per_block": 2, **more},
    )


def vae(channels, **more):
    return dict(
        block_out_channels=channels,
        down_block_types=["DownEncoderBlock2D"] * len(channels),
        up_block_types=["UpDecoderBlock2D"] * len(channels),
        **{"norm_num_groups": 4, "layers_per_block": 1, "sample_size": 64, **more},
    )


def text(hidden, heads, layers=2, **more):
    return dict(
        hidden_size=hidden,
        num_attention_heads=heads,
        num_hidden_layers=layers,
        **{"intermediate_size": 4 * hidden, "hidden_act": "quick_gelu", "projection_dim": hidden, **more},
    )


PROMPT, NEGATIVE = "a photo of an old red apple, morning light", "ugly, blurry"

# latents: (height, width) of the 20-step run. extra_unet: further sizes for the UNet alone. output, output_bias: scales of its conv_out.
PIPELINES = {
    "sd1": dict(
        about="Stable Diffusion 1.x: one head count for all levels, 1x1-convolution projections, quick-GELU, epsilon, DDIM leading; fp16",
        unet=unet([8, 8, 16, 16], cross=24, heads=2, norm_num_groups=8),
        vae=vae([4, 8, 8, 16], layers_per_block=2),
        text=text(24, 4),
        dtype="float16",
        old_text_config=True,
        position_ids=True,
        scheduler=("DDIMScheduler", dict(SD_BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1)),
        output=0.05,
        latents=(16, 16),
    ),
    "sd2": dict(
        about='Stable Diffusion 2.x: heads per level, linear projections, GELU, penultimate layer as a shorter encoder, v-prediction, "!" as padding; Euler; fp16 in .fp16. files',
        unet=unet([8, 16, 16, 16], cross=32, heads=[1, 2, 4, 8], use_linear_projection=True),
        vae=vae([4, 8, 8, 8]),
        text=text(32, 4, layers=3, hidden_act="gelu", pad_token_id=0),
        pad="!",
        dtype="float16",
        variant="fp16",
        scheduler=("EulerDiscreteScheduler", dict(SD_BETAS, prediction_type="v_prediction", steps_offset=1, timestep_spacing="leading")),
        output=0.1,
        latents=(16, 16),
    ),
    "one-layer": dict(
        about="one layer per block, text encoder without the text_model. prefix and tokenizer.json as transformers 5 saves them, Euler ancestral trailing; bf16",
        unet=unet([8, 16, 24], cross=24, heads=4, layers_per_block=1, norm_num_groups=8),
        vae=vae([4, 8, 8, 8]),
        text=text(24, 4, layers=1),
        dtype="bfloat16",
        prefix=False,
        saved_tokenizer=True,
        scheduler=("EulerAncestralDiscreteScheduler", dict(SD_BETAS, steps_offset=1, timestep_spacing="trailing")),
        output=0.2,
        latents=(16, 16),
        unet_timestep=613.25,
    ),
    "odd": dict(
        about="odd channels, head sizes (3, 5, 7), cross width and inner widths, other timestep embedding, lists per level, v-prediction; DPM++ 2M Karras; fp16",
        unet=unet(
            [9, 15, 21], cross=21, heads=3, norm_num_groups=3, layers_per_block=[1, 2, 1], transformer_layers_per_block=[1, 2, 1],
            flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-4, time_embedding_dim=33, conv_in_kernel=5, conv_out_kernel=1,
        ),
        vae=vae([3, 9, 9, 15], norm_num_groups=3),
        text=text(21, 3, intermediate_size=35, layer_norm_eps=1e-4),
        dtype="float16",
        scheduler=("DPMSolverMultistepScheduler", dict(SD_BETAS, use_karras_sigmas=True, steps_offset=1, prediction_type="v_prediction")),
        output=0.06,
        latents=(13, 11),
        threshold=dict(ratio=0.95, max=10.0),
    ),
    "nonsquare": dict(
        about="wide pictures, latents that do not halve evenly at any level; DPM++ 2M trailing; fp16",
        unet=unet([8, 8, 16, 16], cross=24, heads=[1, 2, 2, 4], layers_per_block=1),
        vae=vae([4, 4, 8, 8]),
        text=text(24, 3),
        dtype="float16",
        scheduler=("DPMSolverMultistepScheduler", dict(SD_BETAS, steps_offset=1, timestep_spacing="trailing")),
        output=0.3,
        latents=(12, 20),
        extra_unet=[(24, 40), (13, 21), (9, 31)],
    ),
    "batch3": dict(
        about="three prompts from one generator, DDIM with eta 0.5, v-prediction, zero terminal SNR, trailing; UNet in shards; fp16",
        unet=unet([8, 16], cross=24, heads=2),
        vae=vae([4, 4, 8, 8]),
        text=text(24, 4),
        dtype="float16",
        shard="60KB",
        prompts=[PROMPT, "", "watercolor of a fox in the blue forest at night, with sunglasses"],
        scheduler=("DDIMScheduler", dict(SD_BETAS, clip_sample=False, set_alpha_to_one=True, steps_offset=1, prediction_type="v_prediction",
                                         rescale_betas_zero_snr=True, timestep_spacing="trailing")),
        eta=0.5,
        output=0.1,
        latents=(12, 12),
        threshold=dict(ratio=0.9, max=2.0),
    ),
    "no-mid-attention": dict(
        about="VAE without mid attention and quant convolutions, factor 4; UNet without mid block (as distilled models), attention at its lowest level; Euler linspace Karras; fp32",
        unet=dict(
            unet([8, 12, 16], cross=24, heads=[2, 3, 4], layers_per_block=1, mid_block_type=None),
            down_block_types=[PLAIN_DOWN, CROSS_DOWN, CROSS_DOWN],
            up_block_types=[CROSS_UP, CROSS_UP, PLAIN_UP],
        ),
        vae=vae([8, 8, 12], mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=0.8),
        text=text(24, 2),
        scheduler=("EulerDiscreteScheduler", dict(SD_BETAS, steps_offset=1, timestep_spacing="linspace", use_karras_sigmas=True)),
        output=0.5,
        latents=(16, 20),
    ),
    "sample": dict(
        about="predicts the clean sample, linear betas, DDIM linspace with eta 1, every level attends; bf16",
        unet=dict(unet([8, 16], cross=24, heads=2, layers_per_block=1), down_block_types=[CROSS_DOWN] * 2, up_block_types=[CROSS_UP] * 2),
        vae=vae([4, 4, 8, 8], scaling_factor=0.5),
        text=text(24, 4),
        dtype="bfloat16",
        scheduler=("DDIMScheduler", dict(beta_schedule="linear", beta_start=1e-4, beta_end=0.02, clip_sample=False, prediction_type="sample",
                                         steps_offset=1, timestep_spacing="linspace")),
        eta=1.0,
        output=0.05,
        output_bias=8.0,
        latents=(8, 16),
        threshold=dict(ratio=0.8, max=2.0),
    ),
}
