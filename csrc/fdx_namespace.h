/* A prefix for all names that the linker sees, so that one program can contain two copies of this folder. Compile these
 * files, and those that include fdx.h, with -DFDX_NAMESPACE=mine: the linker then sees mine_fdx_apply for fdx_apply,
 * and so on, while sources keep writing fdx_apply. */
#ifndef FDX_NAMESPACE_H
#define FDX_NAMESPACE_H

#define FDX_JOINED(space, name) space##_##name
#define FDX_IN_NAMESPACE(space, name) FDX_JOINED(space, name)

/* Functions of fdx.h. */
#define fdx_gradient_apply FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_gradient_apply)
#define fdx_gradient_apply_part FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_gradient_apply_part)
#define fdx_band_derivative FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_derivative)
#define fdx_band_derivative_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_derivative_size)
#define fdx_band_product FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_product)
#define fdx_band_product_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_product_size)
#define fdx_band_transpose FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_transpose)
#define fdx_band_transpose_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_transpose_size)
#define fdx_derivative_points FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_derivative_points)
#define fdx_even_spacing FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_even_spacing)
#define fdx_gradient_coords FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_gradient_coords)
#define fdx_gradient_uniform FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_gradient_uniform)
#define fdx_isa_find FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_isa_find)
#define fdx_isa_name FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_isa_name)
#define fdx_itemsize FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_itemsize)
#define fdx_apply FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_apply)
#define fdx_apply_part FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_apply_part)
#define fdx_operator_make FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_operator_make)
#define fdx_operator_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_operator_size)
#define fdx_prepare FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_prepare)
#define fdx_prepared_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_prepared_size)
#define fdx_prepared_workspace_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_prepared_workspace_size)
#define fdx_result_dtype FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_result_dtype)
#define fdx_run FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_run)
#define fdx_status_message FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_status_message)
#define fdx_version FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_version)
#define fdx_weights FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_weights)
#define fdx_workspace_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_workspace_size)

/* Functions and tables that only these files use. */
#define fdx_apply_band FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_apply_band)
#define fdx_band_limits FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_limits)
#define fdx_band_scaled_derivative FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_scaled_derivative)
#define fdx_band_sum FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_sum)
#define fdx_band_sum_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_band_sum_size)
#define fdx_by_columns FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_by_columns)
#define fdx_check_band FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_check_band)
#define fdx_check_derivative FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_check_derivative)
#define fdx_check_operator FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_check_operator)
#define fdx_check_places FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_check_places)
#define fdx_half_width FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_half_width)
#define fdx_has_points FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_has_points)
#define fdx_row_ends_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_row_ends_size)
#define fdx_is_transposed FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_is_transposed)
#define fdx_is_by_lines FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_is_by_lines)
#define fdx_isa_avx2 FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_isa_avx2)
#define fdx_isa_avx512 FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_isa_avx512)
#define fdx_isa_base FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_isa_base)
#define fdx_make_lines FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_make_lines)
#define fdx_spacing_of FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_spacing_of)
#define fdx_sum_row FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_sum_row)
#define fdx_sum_inner FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_sum_inner)
#define fdx_transpose_out FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_transpose_out)
#define fdx_staging_size FDX_IN_NAMESPACE(FDX_NAMESPACE, fdx_staging_size)

#endif
